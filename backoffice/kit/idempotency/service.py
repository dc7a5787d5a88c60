"""Which attempt may carry a request out, and the answer that all others get.

The constraints:
1. What a request writes and its answer are committed together, or neither is.
2. A request that died is not in the way of its own repetition for longer than LEASE.
3. An attempt that was too slow, and was taken over, may not commit beside its successor.

The design: a claim is a row, committed before the work, that names its holder. The answer is kept by an update that
asks for that holder, in the transaction of the work. Taking over replaces the holder, so the slow one's update finds no
row, and its transaction is rolled back. A row without an answer means that nothing was committed. Clocks that differ
between hosts change only how soon a claim is taken over, never that one attempt alone commits.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.utils import timezone

from backoffice.kit.api.problems import Problem
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
    """The claim on the request of `digest`, or the answer that it has already.

    Raises:
        Problem: 409, another attempt is at work; 422, the key came with another body.
    """
    now = timezone.now()
    values = {"fingerprint": fingerprint, "holder": uuid4(), "created_at": now, "leased_until": now + LEASE}
    KeptAnswer.objects.bulk_create([KeptAnswer(digest=digest, **values)], ignore_conflicts=True)
    found = KeptAnswer.objects.filter(digest=digest).first()
    if found is None:  # the other attempt failed and gave its claim up in this moment
        raise busy()
    if found.holder == values["holder"]:
        return Claim(digest=digest, holder=found.holder)
    if found.created_at <= now - KEPT:
        return _take_over(found, values)
    if found.fingerprint != fingerprint:
        raise Problem(422, OTHER)
    if found.status is not None:
        return found
    if found.leased_until <= now:
        return _take_over(found, values)
    raise busy()


def _take_over(found: KeptAnswer, values: dict[str, Any]) -> Claim:
    unchanged = KeptAnswer.objects.filter(digest=found.digest, holder=found.holder, status=found.status)
    if not unchanged.update(**values, status=None, headers={}, body=""):
        raise busy()
    return Claim(digest=found.digest, holder=values["holder"])


def busy() -> Problem:
    return Problem(409, BUSY, headers={"Retry-After": "1"})


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
    """Drop what was kept for its time; how many. Run every second or so, it writes at most once a minute."""
    over = KeptAnswer.objects.filter(created_at__lte=timezone.now() - KEPT)
    due = KeptAnswer.objects.filter(created_at__lte=timezone.now() - KEPT - PRUNE_EVERY)
    return over.delete()[0] if due.exists() else 0
