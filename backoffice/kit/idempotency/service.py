"""Which attempt may carry a request out, and the answer that all others get.

The constraints:
1. What a request writes and its answer are committed together, or neither is.
2. A request that died is not in the way of its own repetition for longer than LEASE.
3. An attempt that was too slow, and was taken over, may not commit beside its successor.

The design: a claim is a row, committed before the work, that names its holder. The answer is kept by an update that
asks for that holder, in the transaction of the work. Taking over replaces the holder, so the slow one's update finds no
row, and its transaction is rolled back. A row without an answer means that nothing was committed.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse

from backoffice.kit import clock, lease
from backoffice.kit.api.problems import ProblemError
from backoffice.kit.idempotency.models import KeptAnswer

KEPT = timedelta(hours=24)
LEASE = timedelta(seconds=60)
PRUNE_EVERY = timedelta(minutes=1)
HEADERS = ("Content-Type", "Location", "ETag")
BUSY = "A request with this Idempotency-Key is being answered; wait for its answer, or send it again later."
OTHER = "This Idempotency-Key came with another request already; take a new key for a new request."


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to carry a request out and to keep its answer."""

    digest: str
    holder: UUID


def claim(*, digest: str, fingerprint: str) -> Claim | KeptAnswer:
    """Claim the request of `digest`, or return the answer that it has already.

    Raises:
        ProblemError: 409, another attempt is at work; 422, the key came with another body.
    """
    now = clock.now()
    mine = Claim(digest=digest, holder=uuid4())
    values: dict[str, Any] = {"fingerprint": fingerprint, "holder": mine.holder, "created_at": now}
    KeptAnswer.objects.bulk_create(
        [KeptAnswer(digest=digest, lease_until=now + LEASE, **values)], ignore_conflicts=True
    )
    found = KeptAnswer.objects.filter(digest=digest).first()
    if found is None:  # the other attempt failed and gave its claim up in this moment
        raise busy()
    if found.holder == mine.holder:
        return mine
    if found.created_at > now - KEPT:
        if found.fingerprint != fingerprint:
            raise ProblemError(422, OTHER)
        if found.status is not None:
            return found
        if found.lease_until > now:
            raise busy()
    unchanged = KeptAnswer.objects.filter(digest=digest, status=found.status)
    if not lease.move(unchanged, found.lease_until, now + LEASE, **values, status=None, headers={}, body=""):
        raise busy()
    return mine


def busy() -> ProblemError:
    return ProblemError(409, BUSY, headers={"Retry-After": "1"})


def keep(claim: Claim, response: HttpResponse) -> bool:
    """Keep the answer; False: the claim was taken over, so nothing of this attempt may be committed."""
    return bool(
        KeptAnswer.objects.filter(digest=claim.digest, holder=claim.holder).update(
            status=response.status_code,
            headers={name: response[name] for name in HEADERS if name in response},
            body=response.content.decode(),
        )
    )


def give_up(claim: Claim) -> None:
    """Let the next attempt begin at once, where this one left no answer."""
    KeptAnswer.objects.filter(digest=claim.digest, holder=claim.holder, status=None).delete()


def prune() -> int:
    """Drop what was kept for its time; return how many. Run every second or so, it writes at most once a minute."""
    now = clock.now()
    due = KeptAnswer.objects.filter(created_at__lte=now - KEPT - PRUNE_EVERY)
    return KeptAnswer.objects.filter(created_at__lte=now - KEPT).delete()[0] if due.exists() else 0
