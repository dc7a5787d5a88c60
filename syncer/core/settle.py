"""What one delivery's end writes to its binding. The rules are step 7 of docs/architecture.md, "How a change travels".

Constraints, each of which some plausible shortcut breaks:
- `agreed` is what was *sent*: not what came back, not what is live now.
- `delivered` becomes the version that was *claimed*: not the one wanted now.
- Only a definite answer ends `unsettled`; a refusal puts it back to what it was before the claim.
- The key and body of a create stay until it is known what became of it.

The functions return column changes, `{"column": value}`, for a write that is guarded by the claim's token.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backoffice.kit.retry import backoff
from syncer.core.answers import Outcome, Verdict
from syncer.core.decide import Action, Payload
from syncer.core.matching import encode_id

Changes = dict[str, Any]
NO_CREATE: Changes = {"create_key": None, "create_body": None}
WELL: Changes = {"tries": 0, "reason": "", "not_before": None, "parked": None}
REASON_LENGTH = 512  # characters, the column's


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claimed binding, as it was when it was claimed.

    Attributes:
        wanted: the version that this delivery will have delivered.
        was: whether it was unsettled before.
        tries: failed tries since the last success.
    """

    wanted: int
    was: bool = False
    tries: int = 0


def delivered(claim: Claim, action: Action, *, sent: Payload | None, verdict: Verdict, id_field: str = "id") -> Changes:
    """The target did what was asked, or (`Action.NOTHING`) nothing was needed."""
    changes = WELL | {"delivered": claim.wanted, "unsettled": False}
    if action is Action.CREATE:
        remote_id = encode_id(verdict.record[id_field])
        return changes | NO_CREATE | {"remote_id": remote_id, "last_remote_id": remote_id, "agreed": sent}
    if action is Action.UPDATE:
        return changes | {"agreed": sent}
    if action is Action.DELETE:
        return changes | {"remote_id": None, "agreed": None, "parent_id": None}
    return changes


def not_sent(claim: Claim, action: Action) -> Changes:
    """Nothing left after all: the parent is no longer ready, or the lease is too short."""
    return {"unsettled": claim.was} | (NO_CREATE if action is Action.CREATE else {})


def gone(why: str) -> Changes:
    """The target has no such record: the next claim makes it anew."""
    return {"remote_id": None, "agreed": None, "unsettled": False, "reason": why[:REASON_LENGTH]}


def refused(claim: Claim, action: Action, verdict: Verdict, *, now: datetime, jitter: float) -> Changes:
    """A definite no. Permanent ones are parked, retryable ones wait, a wrong setting costs the object nothing."""
    changes = not_sent(claim, action) | {"reason": verdict.why[:REASON_LENGTH]}
    if verdict.outcome is Outcome.PERMANENT:
        return changes | {"parked": claim.wanted, "tries": claim.tries + 1}
    if verdict.outcome is Outcome.CONFIGURATION:
        return changes
    tries = claim.tries + 1
    return changes | {"tries": tries, "not_before": now + timedelta(seconds=backoff(tries, jitter))}


def unknown(claim: Claim, verdict: Verdict, *, now: datetime, jitter: float, request_seconds: float) -> Changes:
    """It may have been carried out: stays unsettled until any straggler has landed or died."""
    tries = claim.tries + 1
    wait = max(request_seconds, backoff(tries, jitter))
    return {
        "unsettled": True,
        "tries": tries,
        "not_before": now + timedelta(seconds=wait),
        "reason": verdict.why[:REASON_LENGTH],
    }


def looked_up(claim: Claim, found: list[str]) -> Changes:
    """An unanswered create was looked for; `found` are the encoded ids of the records that may be it.

    `delivered` stays as it is, so that the object is compared again: what the record holds is not known.
    """
    if len(found) > 1:
        return doubtful(claim, f"{len(found)} records at the target may be this one: {', '.join(found)}")
    settled = NO_CREATE | {"unsettled": False, "not_before": None, "agreed": None}
    if found:
        return settled | {"remote_id": found[0], "last_remote_id": found[0]}
    return settled


def doubtful(claim: Claim, why: str) -> Changes:
    """Whether the record was made can't be known: a person decides."""
    return {"in_doubt": True, "unsettled": claim.was, "reason": why[:REASON_LENGTH]}


def taken_id(claim: Claim, remote_id: str) -> Changes:
    """The create was answered with an id that another object's record has: the answer can't be true."""
    why = f"answered the create with the id {remote_id}, which another object's record has already"
    return NO_CREATE | {"unsettled": claim.was, "parked": claim.wanted, "reason": why}
