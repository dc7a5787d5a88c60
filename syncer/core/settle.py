"""What one delivery's end writes to its binding. The rules are step 7 of docs/architecture.md, "How a change travels".

Constraints, each of which some plausible shortcut breaks:
- `agreed` is what was *sent*: not what came back, not what is live now.
- `delivered` becomes the version that was *claimed*: not the one wanted now.
- Only a definite answer ends `unconfirmed`; a refusal puts it back to what it was before the claim.
- The key and body of a create stay until it is known what became of it.

The functions return column changes, `{"column": value}`, for a write that is guarded by the claim's token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backoffice.kit.retry import backoff
from syncer.core.decide import Action, Changes, Claim, Known, Payload
from syncer.core.lookup import encode_id
from syncer.core.outcome import Outcome, Verdict

NO_CREATE: Changes = {
    "create_key": None,
    "create_body": None,
    "create_at": None,
    "create_path": "",
    "create_account": "",
}
SUCCESS: Changes = {"tries": 0, "reason": "", "not_before": None, "rejected": None}
REASON_LENGTH = 512  # characters, the column's
NO_WAY = "a create was not answered, and this route has no lookup to find it by"
UNTOLD = "did not settle whether a create arrived: "  # begins the reason of a refused replay or look-up
NOT_THERE = "no longer has this record: "  # begins the reason of a record that is gone and not created again
CANDIDATES = 100  # kept; who must choose among more needs another look-up
LOOK_FIRST = "a record may have been made that is not known here, and this route has no lookup to find it by"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What its route and target say of how deliveries end.

    Attributes:
        id_field: the name of a record's id in answers.
        recreate: a record that is gone is created again; else it is rejected.
        request_seconds: after this time no request of ours can still arrive.
    """

    id_field: str = "id"
    recreate: bool = True
    request_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class End:
    """How one delivery ended.

    Attributes:
        sent: the payload that the target holds if it is done; None where there is to be no record.
        verdict: what the answer means; None: nothing was sent.
        found: of a lookup, the encoded ids of the records that may be the one looked for.
    """

    action: Action
    known: Known
    sent: Payload | None = None
    verdict: Verdict | None = None
    found: Sequence[str] = ()


def changes_after(claim: Claim, end: End, terms: Terms, *, now: datetime, jitter: float) -> Changes:
    """What `end` writes to its binding; `jitter` (0 to 1) draws the wait of a failed try."""
    if end.action is Action.NOTHING:
        return delivered(claim, end, terms)
    if end.action is Action.DOUBT:
        return doubtful(claim, LOOK_FIRST if end.known.create_body is None else NO_WAY)
    if end.verdict is None:  # Action.WAIT too
        return not_sent(claim, end)
    match end.verdict.outcome:
        case Outcome.DONE if end.action is Action.LOOKUP:
            return looked_up(claim, end)
        case Outcome.DONE:
            return delivered(claim, end, terms)
        case Outcome.GONE if terms.recreate or end.known.deleting:
            return gone(end.verdict.why)
        case Outcome.GONE | Outcome.PERMANENT:
            return rejected(claim, end, end.verdict.why)
        case Outcome.UNKNOWN:
            return unknown(claim, end.verdict, terms, now=now, jitter=jitter)
        case Outcome.CONFIGURATION:
            return not_sent(claim, end) | {"reason": end.verdict.why[:REASON_LENGTH]}
        case _:  # Outcome.RETRYABLE
            return put_off(claim, end, end.verdict.why, now=now, jitter=jitter)


def delivered(claim: Claim, end: End, terms: Terms) -> Changes:
    """The target did what was asked, or nothing was needed.

    A replay did what was asked *then*: `delivered` stays as it is, so that the object is compared again.
    """
    changes = SUCCESS | {"delivered": claim.wanted, "unconfirmed": False, "deleting": False}
    if end.action in (Action.CREATE, Action.REPLAY) and end.verdict is not None:
        remote_id = encode_id(end.verdict.record[terms.id_field])
        changes |= NO_CREATE | {"look_first": False}
        changes |= {"remote_id": remote_id, "last_remote_id": remote_id, "agreed": end.sent}
        if end.action is Action.REPLAY:
            del changes["delivered"]
        return changes
    if end.action is Action.UPDATE:
        return changes | {"agreed": end.sent, "look_first": False}
    if end.action is Action.DELETE:
        return changes | {"remote_id": None, "agreed": None, "parent_id": None, "look_first": False}
    return changes


def not_sent(claim: Claim, end: End) -> Changes:
    """Nothing left after all: the parent is no longer ready, the lease is too short, or we were refused."""
    changes: Changes = {"unconfirmed": claim.was, "deleting": end.known.deleting}
    return changes | (NO_CREATE if end.action is Action.CREATE else {})


def gone(why: str) -> Changes:
    """The target has no such record: the next claim creates it again."""
    return {"remote_id": None, "agreed": None, "unconfirmed": False, "deleting": False, "reason": why[:REASON_LENGTH]}


def rejected(claim: Claim, end: End, why: str) -> Changes:
    """A definite no, which no repeat would change: set aside for a person, with the version that was claimed.

    Of a replay or a look-up it says nothing about the create that it asked for: that one stays unanswered.
    """
    if end.action in (Action.REPLAY, Action.LOOKUP):
        why = UNTOLD + why
    is_gone = end.verdict is not None and end.verdict.outcome is Outcome.GONE
    changes: Changes = {"rejected": claim.wanted, "gone": is_gone, "tries": claim.tries + 1}
    return not_sent(claim, end) | changes | {"reason": (NOT_THERE * is_gone + why)[:REASON_LENGTH]}


def put_off(claim: Claim, end: End, why: str, *, now: datetime, jitter: float) -> Changes:
    """Nothing was changed, and later it may go well."""
    tries = claim.tries + 1
    later = now + timedelta(seconds=backoff(tries, jitter))
    return not_sent(claim, end) | {"tries": tries, "not_before": later, "reason": why[:REASON_LENGTH]}


def unknown(claim: Claim, verdict: Verdict, terms: Terms, *, now: datetime, jitter: float) -> Changes:
    """It may have been carried out: stays unconfirmed until any straggler has landed or died."""
    tries = claim.tries + 1
    wait = max(terms.request_seconds, backoff(tries, jitter))
    return {
        "unconfirmed": True,
        "tries": tries,
        "not_before": now + timedelta(seconds=wait),
        "reason": verdict.why[:REASON_LENGTH],
    }


def looked_up(claim: Claim, end: End) -> Changes:
    """A record was looked for, by what an unanswered create sent, or by what the object holds now.

    `delivered` stays as it is, so that the object is compared again: what the record holds is not known. Where no
    record holds what the create sent, and more may have happened than is known here, the record may have been found and
    changed since: it is looked for once more, by what the object holds now.
    """
    found = end.found
    if len(found) > 1:
        return doubtful(claim, several(found)) | {"candidates": list(found[:CANDIDATES])}
    settled = NO_CREATE | {"look_first": False, "unconfirmed": False, "not_before": None, "agreed": None}
    if found:
        return settled | {"remote_id": found[0], "last_remote_id": found[0]}
    return settled | {"look_first": end.known.look_first and end.known.create_body is not None}


def several(found: Sequence[str]) -> str:
    """The reason that names the records which may be the one looked for, as many as have room."""
    why = f"{len(found)} possible matches at the target: {found[0]}"
    for one in found[1:]:
        if len(f"{why}, {one}, …") > REASON_LENGTH:
            return f"{why}, …"
        why += f", {one}"
    return why


def doubtful(claim: Claim, why: str) -> Changes:
    """Whether the record was made can't be known: a person decides."""
    return {"in_doubt": True, "candidates": None, "unconfirmed": claim.was, "reason": why[:REASON_LENGTH]}


def taken_id(claim: Claim, action: Action, remote_id: str) -> Changes:
    """The record's id is another object's already.

    Of a look-up: another worker was quicker to bind it; the next look-up sees that. Of a create, or a replay: the
    answer can't be true, so it tells nothing of what became of the create. It stays unanswered, and is set aside.
    """
    if action is Action.LOOKUP:
        return {"unconfirmed": claim.was}
    why = f"answered the create with the id {remote_id}, which another object's record has already"
    changes: Changes = {"unconfirmed": True, "rejected": claim.wanted, "gone": False, "tries": claim.tries + 1}
    return changes | {"reason": why[:REASON_LENGTH]}


def decided(remote_id: str | None) -> Changes:
    """A person said what became of the record: it has this id, or (None) there is none. What it holds is not known."""
    settled = dict.fromkeys(("in_doubt", "look_first", "unconfirmed", "deleting", "gone"), False)
    record: Changes = {"remote_id": remote_id, "agreed": None, "lease_until": None, "candidates": None}
    if remote_id is not None:
        record["last_remote_id"] = remote_id
    return SUCCESS | NO_CREATE | settled | record
