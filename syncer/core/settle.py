"""The columns that the end of a delivery writes to its binding: step 7 of docs/architecture.md, "How a change travels".

Constraints, each of which some plausible shortcut breaks:
- `agreed` is what was *sent*: not what came back, not what is live now.
- `delivered` becomes the version that was *claimed*: not the one wanted now.
- Only a definite answer ends `unconfirmed`; a refusal restores its value from before the claim.
- The key and body of a create stay until the outcome of that create is known.

The functions return column changes, `{"column": value}`, for a write that is guarded by the claim's token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backoffice.kit.retry import backoff
from syncer.core.decide import Action, Changes, Claim, Known, Payload
from syncer.core.outcome import Outcome, Verdict, encode_id

NO_CREATE: Changes = {
    **dict.fromkeys(("create_key", "create_body", "create_at")),
    **dict.fromkeys(("create_path", "create_account"), ""),
}
SUCCESS: Changes = {"tries": 0, "reason": "", "not_before": None, "rejected": None}
REASON_LENGTH = 512  # characters, as in the column
NO_WAY = "a create was not answered, and this route has no lookup to find it by"
UNTOLD = "did not settle whether a create arrived: "  # begins the reason of a refused replay or look-up
NOT_THERE = "no longer has this record: "  # begins the reason of a record that is gone and not created again
CANDIDATES = 100  # ids that are kept; a lookup with more matches needs to be changed
LOOK_FIRST = "a record may have been made that is not known here, and this route has no lookup to find it by"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The settings of a route and its target that decide how a delivery ends."""

    id_field: str = "id"  # the name of a record's id in answers
    recreate: bool = True  # create a record that is gone again, rather than reject it
    request_seconds: float = 0.0  # the time after which no request of ours can still arrive


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of one delivery."""

    action: Action
    known: Known  # at the claim
    sent: Payload | None = None  # what the target holds after a success; None where there is to be no record
    verdict: Verdict | None = None  # None where nothing was sent
    matches: Sequence[str] = ()  # for a lookup, the encoded ids of the possible matches


def changes_after(claim: Claim, end: End, terms: Terms, *, now: datetime, jitter: float) -> Changes:
    """Return what `end` writes to its binding; `jitter`, from 0 to 1, scales the wait after a failed try."""
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
    """Record that the target carried out the request, or that nothing was needed.

    A replay carried out what was asked *then*: `delivered` stays as it is, so that the object is compared again.
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
    """Record that nothing was changed.

    The parent was no longer ready, the lease was too short, or the target refused the request.
    """
    changes: Changes = {"unconfirmed": claim.was, "deleting": end.known.deleting}
    return changes | (NO_CREATE if end.action is Action.CREATE else {})


def gone(why: str) -> Changes:
    """Record that the target no longer has the record: the next claim creates it again."""
    return {"remote_id": None, "agreed": None, "unconfirmed": False, "deleting": False, "reason": why[:REASON_LENGTH]}


def rejected(claim: Claim, end: End, why: str) -> Changes:
    """Set the object aside for a person, with the version that was claimed: no repeat would change the refusal.

    A refused replay or look-up says nothing about the create in question, which stays unanswered.
    """
    if end.action in (Action.REPLAY, Action.LOOKUP):
        why = UNTOLD + why
    is_gone = end.verdict is not None and end.verdict.outcome is Outcome.GONE
    changes: Changes = {"rejected": claim.wanted, "gone": is_gone, "tries": claim.tries + 1}
    return not_sent(claim, end) | changes | {"reason": (NOT_THERE * is_gone + why)[:REASON_LENGTH]}


def put_off(claim: Claim, end: End, why: str, *, now: datetime, jitter: float) -> Changes:
    """Record that nothing was changed and that a later try may succeed."""
    tries = claim.tries + 1
    later = now + timedelta(seconds=backoff(tries, jitter))
    return not_sent(claim, end) | {"tries": tries, "not_before": later, "reason": why[:REASON_LENGTH]}


def unknown(claim: Claim, verdict: Verdict, terms: Terms, *, now: datetime, jitter: float) -> Changes:
    """Keep the binding unconfirmed, and wait until no late request can arrive: this one may have been carried out."""
    tries = claim.tries + 1
    later = now + timedelta(seconds=max(terms.request_seconds, backoff(tries, jitter)))
    return {"unconfirmed": True, "tries": tries, "not_before": later, "reason": verdict.why[:REASON_LENGTH]}


def looked_up(claim: Claim, end: End) -> Changes:
    """Record the result of a lookup, by the body of an unanswered create or by the object's present content.

    `delivered` stays as it is, so that the object is compared again: the content of the record is not known. Where no
    record holds what the create sent, but `look_first` says that more may have happened than is known here, the record
    may have been changed since: it is looked up once more, by the object's present content.
    """
    matches = end.matches
    if len(matches) > 1:
        return doubtful(claim, several(matches)) | {"candidates": list(matches[:CANDIDATES])}
    settled = NO_CREATE | {"look_first": False, "unconfirmed": False, "not_before": None, "agreed": None}
    if matches:
        return settled | {"remote_id": matches[0], "last_remote_id": matches[0]}
    return settled | {"look_first": end.known.look_first and end.known.create_body is not None}


def several(matches: Sequence[str]) -> str:
    """Return the reason that lists the possible matches, as many as fit into the column."""
    why = f"{len(matches)} possible matches at the target: {matches[0]}"
    for remote_id in matches[1:]:
        if len(f"{why}, {remote_id}, …") > REASON_LENGTH:
            return f"{why}, …"
        why += f", {remote_id}"
    return why


def doubtful(claim: Claim, why: str) -> Changes:
    """Leave the decision to a person: whether the record was created can't be found out."""
    return {"in_doubt": True, "candidates": None, "unconfirmed": claim.was, "reason": why[:REASON_LENGTH]}


def taken_id(claim: Claim, action: Action, remote_id: str) -> Changes:
    """Record that the record's id already belongs to another object.

    After a look-up, another worker was quicker to bind the record; the next look-up sees that. After a create or a
    replay, the answer can't be true, so the outcome of the create is still unknown: the create stays unanswered, and
    the object is set aside.
    """
    if action is Action.LOOKUP:
        return {"unconfirmed": claim.was}
    why = f"answered the create with the id {remote_id}, which another object's record has already"
    changes: Changes = {"unconfirmed": True, "rejected": claim.wanted, "gone": False, "tries": claim.tries + 1}
    return changes | {"reason": why[:REASON_LENGTH]}


def decided(remote_id: str | None) -> Changes:
    """Record a person's decision: the record has this id, or (None) does not exist. Its content is not known."""
    settled = dict.fromkeys(("in_doubt", "look_first", "unconfirmed", "deleting", "gone"), False)
    record: Changes = {"remote_id": remote_id, "agreed": None, "lease_until": None, "candidates": None}
    if remote_id is not None:
        record["last_remote_id"] = remote_id
    return SUCCESS | NO_CREATE | settled | record
