"""What the end of a hand-over to a peer writes to its binding.

A hand-over may be repeated, doubled or overtaken without harm, so what is not known is as good as not done: nothing is
ever in doubt, and no straggler is waited for.
"""

from datetime import datetime
from typing import Any

from syncer.core.decide import Action, Changes, Claim, Known
from syncer.core.lookup import encode_id
from syncer.core.merge import VersionVector, together
from syncer.core.outcome import Outcome, Verdict
from syncer.core.settle import REASON_LENGTH, SUCCESS, End, not_sent, put_off, rejected


def changes_after_push(
    claim: Claim, verdict: Verdict, seen: VersionVector, known: VersionVector, *, now: datetime, jitter: float
) -> Changes:
    """The columns, `{"column": value}`.

    Args:
        verdict: DONE; PERMANENT: the peer refused it; CONFIGURATION: none of it is the object's fault, so it counts
            as no try; anything else is tried again.
        seen: the edits that were handed over.
        known: the edits that the peer was known to have seen when this is written: another answer may have come first.
    """
    end = End(action=Action.PUSH, known=Known(), verdict=verdict)
    if verdict.outcome is Outcome.DONE:
        return SUCCESS | {"delivered": claim.wanted, "unconfirmed": False, "peer_seen": together(known, seen)}
    if verdict.outcome is Outcome.PERMANENT:
        return rejected(claim, end, verdict.why) | {"unconfirmed": False}
    if verdict.outcome is Outcome.CONFIGURATION:
        return not_sent(claim, end) | {"unconfirmed": False, "reason": verdict.why[:REASON_LENGTH]}
    return put_off(claim, end, verdict.why, now=now, jitter=jitter) | {"unconfirmed": False}


def record(key: str, *, is_there: bool) -> Changes:
    """The columns that say whether the peer has the object, under our own key."""
    remote_id: Any = encode_id(key)
    return {"remote_id": remote_id if is_there else None, "last_remote_id": remote_id}
