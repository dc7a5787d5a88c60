"""The columns that the end of a push to a peer writes to its binding.

A push may be repeated, duplicated or overtaken without harm, so an unknown answer counts as a failure: nothing is ever
in doubt, and no late request needs to be waited for.
"""

from datetime import datetime

from syncer.core.decide import Action, Changes, Claim, Known
from syncer.core.ids import encode_id
from syncer.core.merge import VersionVector, together
from syncer.core.outcome import Outcome, Verdict
from syncer.core.settle import SUCCESS, End, not_sent, put_off, rejected


def changes_after_push(
    claim: Claim, verdict: Verdict, seen: VersionVector, known: VersionVector, *, now: datetime, jitter: float
) -> Changes:
    """Return the columns to write, `{"column": value}`.

    Args:
        verdict: DONE; PERMANENT where the peer refused the object; CONFIGURATION where the object is not at fault, so
            that the push does not count as a try; anything else is tried again.
        seen: the edits that were pushed.
        known: the edits that the peer is known to have seen at the time of this write, after any other answer.
    """
    end = End(action=Action.PUSH, known=Known(), verdict=verdict)
    if verdict.outcome is Outcome.DONE:
        return SUCCESS | {"delivered": claim.wanted, "unconfirmed": False, "peer_seen": together(known, seen)}
    if verdict.outcome is Outcome.PERMANENT:
        return rejected(claim, end, verdict.why) | {"unconfirmed": False}
    if verdict.outcome is Outcome.CONFIGURATION:
        return not_sent(claim, end) | {"unconfirmed": False, "reason": verdict.why}
    return put_off(claim, end, verdict.why, now=now, jitter=jitter) | {"unconfirmed": False}


def record(key: str, *, is_there: bool) -> Changes:
    """Return the columns that say whether the peer has the object, under our own key."""
    remote_id = encode_id(key)
    if not is_there:
        return {"remote_id": None, "last_remote_id": remote_id}
    return {"remote_id": remote_id, "last_remote_id": remote_id, "delete_allowed": False}
