"""Claims: choose the one attempt that carries out a request, and keep its answer for all others.

The constraints:
1. The writes of a request and its answer are committed together, or neither is.
2. An attempt that died blocks its own repetition for no longer than LEASE.
3. A slow attempt that was taken over may not commit beside its successor.

The design: a claim is a row, committed before the work, that names its holder. The answer is stored by an update that
filters by that holder, in the transaction of the work. Taking over replaces the holder, so the update of the slow
attempt finds no row, and its transaction is rolled back. A row without an answer means that nothing was committed.
"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

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


def claim(*, digest: str, fingerprint: str) -> KeptAnswer:
    """Return the kept answer of the request of `digest`, or, without a status, the claim that was made for the caller.

    Raises:
        ProblemError: 409, another attempt is at work; 422, the key came with another body.
    """
    now = clock.now()
    values: dict[str, Any] = {"fingerprint": fingerprint, "holder": uuid4(), "created_at": now}
    own_claim = KeptAnswer(digest=digest, lease_until=now + LEASE, **values)
    KeptAnswer.objects.bulk_create([own_claim], ignore_conflicts=True)
    row = KeptAnswer.objects.filter(digest=digest).first()
    if row is None:  # another attempt failed and gave up its claim between the two statements
        raise busy()
    if row.holder == own_claim.holder:
        return own_claim
    if row.created_at > now - KEPT:
        if row.fingerprint != fingerprint:
            raise ProblemError(422, OTHER)
        if row.status is not None:
            return row
        if row.lease_until > now:
            raise busy()
    unchanged = KeptAnswer.objects.filter(digest=digest, status=row.status)
    if not lease.move(unchanged, row.lease_until, now + LEASE, **values, status=None, headers={}, body=""):
        raise busy()
    return own_claim


def is_kept(digest: str) -> bool:
    """Return whether a request of `digest` came before, and is still remembered."""
    return KeptAnswer.objects.filter(digest=digest, created_at__gt=clock.now() - KEPT).exists()


def busy() -> ProblemError:
    """Return the 409 of a request that another attempt is carrying out."""
    return ProblemError(409, BUSY, headers={"Retry-After": "1"})


def keep(claim: KeptAnswer, response: HttpResponse) -> bool:
    """Keep the answer; return False if the claim was taken over: then nothing of this attempt may be committed."""
    return bool(
        KeptAnswer.objects.filter(digest=claim.digest, holder=claim.holder).update(
            status=response.status_code,
            headers={name: response[name] for name in HEADERS if name in response},
            body=response.content.decode(),
        )
    )


def give_up(claim: KeptAnswer) -> None:
    """Give up the claim, so that the next attempt can begin at once; no effect once an answer is kept."""
    KeptAnswer.objects.filter(digest=claim.digest, holder=claim.holder, status=None).delete()


def prune() -> int:
    """Delete answers older than KEPT; return how many. Run every second or so, it writes at most once a minute."""
    now = clock.now()
    due = KeptAnswer.objects.filter(created_at__lte=now - KEPT - PRUNE_EVERY)
    return KeptAnswer.objects.filter(created_at__lte=now - KEPT).delete()[0] if due.exists() else 0
