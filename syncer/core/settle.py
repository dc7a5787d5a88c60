"""The columns that the end of a delivery writes to its binding: step 7 of docs/architecture.md, "How a change travels".

Constraints, each of which some plausible shortcut breaks:
- `agreed` is what was *sent*: not what came back, not what is live now.
- `delivered` becomes the version that was *claimed*: not the one wanted now.
- Only a definite answer ends `unconfirmed`; a refusal restores its value from before the claim.
- The key and body of a create stay until the outcome of that create is known.

The functions return column changes, `{"column": value}`, for a write that is guarded by the claim's token.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from backoffice.kit.phrases import phrase
from backoffice.kit.retry import backoff
from syncer.core.decide import Action, Changes, Claim, Known, Payload
from syncer.core.ids import id_text
from syncer.core.likeness import Candidate, decisive
from syncer.core.outcome import DISPUTED, REFUSED, UNREAD, Outcome, Verdict

NO_CREATE: Changes = {
    **dict.fromkeys(("create_key", "create_body", "create_at", "create_as")),
    **dict.fromkeys(("create_path", "create_account"), ""),
    "made": False,
}
SUCCESS: Changes = {"tries": 0, "reason": "", "not_before": None, "rejected": None, "refused_at": None}
IDS_SHOWN = 400  # characters of the ids that a reason lists
NO_WAY = phrase("a create was not answered, and this route has no lookup to find it by")
CANDIDATES = 100  # that are kept; a lookup with more of them needs to be changed
PATIENCE = timedelta(hours=1)  # for a record to appear whose create was accepted; then a person decides
DISPUTES = (
    5  # tries in a row for which a target may say of a record that it is gone, and show it; then a person decides
)
UNREADS = 10  # tries in a row for which it may say so while its list can't be read; more than open the circuit
FORBIDDEN = 5  # tries for which a look-up may be forbidden, or one object be refused as if the settings were wrong
UNSHOWN = 12  # tries for which a list may lack what the target has accepted; some 2 hours
NOT_LISTED = phrase("accepted the create, but does not list the record yet")
NEVER_LISTED = phrase("accepted the create, but has not listed the record for an hour")
LOOK_FIRST = phrase("a record may have been made that is not known here, and this route has no lookup to find it by")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The settings of a route and its target that decide how a delivery ends."""

    can_look_up: bool = True  # a record can be found by its content or by an id that we gave it
    recreate: bool = True  # create a record that is gone again, rather than reject it
    overwrite: bool = False  # a record that is there already is taken over, even if it differs
    is_answering: bool = True  # the target answers others, as far as is known
    request_seconds: float = 0.0  # the time after which no request of ours can still arrive


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of one delivery."""

    action: Action
    known: Known  # at the claim
    sent: Payload | None = None  # what the target holds after a success; None where there is to be no record
    verdict: Verdict | None = None  # None where nothing was sent
    candidates: Sequence[Candidate] = ()  # that a lookup has found
    unproven: str = ""  # why the list that shows no candidate does not prove that there is none


def changes_after(claim: Claim, end: End, rules: Rules, *, now: datetime, jitter: float) -> Changes:
    """Return what `end` writes to its binding; `jitter`, from 0 to 1, scales the wait after a failed try."""
    if end.action is Action.NOTHING:
        return delivered(claim, end)
    if end.action is Action.DOUBT:
        return doubtful(claim, LOOK_FIRST if end.known.create_body is None else NO_WAY)
    if end.verdict is None:  # Action.WAIT too
        return not_sent(claim, end)
    why = end.verdict.why
    match end.verdict.outcome:
        case Outcome.DONE if end.action is Action.LOOKUP:
            return looked_up(claim, end, rules, now=now, jitter=jitter)
        case Outcome.DONE:
            return delivered(claim, end)
        case Outcome.MADE:
            return made(end)
        case Outcome.GONE if rules.recreate or end.known.deleting:
            return gone(why, rules)
        case Outcome.GONE:
            return rejected(claim, end, why)
        case Outcome.TAKEN if end.candidates:
            return found(claim, end, rules)
        case Outcome.FORBIDDEN if (end.verdict.may_pass or end.action is Action.LOOKUP) and claim.tries + 1 < FORBIDDEN:
            return put_off(claim, end, why, now=now, jitter=jitter)
        case outcome if outcome in REFUSED:
            return refused(claim, end)
        case Outcome.UNKNOWN:
            return unknown(claim, end.verdict, rules, now=now, jitter=jitter)
        case Outcome.CONFIGURATION:
            return not_sent(claim, end) | {"reason": why}
        case Outcome.RETRYABLE if end.verdict.is_disputed or end.verdict.is_unread:
            return absent(claim, end, rules, now=now, jitter=jitter)
        case _:  # Outcome.RETRYABLE
            return put_off(claim, end, why, now=now, jitter=jitter)


def delivered(claim: Claim, end: End) -> Changes:
    """Record that the target carried out the request, or that nothing was needed.

    A replay carried out what was asked *then*: `delivered` stays as it is, so that the object is compared again.
    """
    changes = SUCCESS | {"delivered": claim.wanted, "unconfirmed": False, "deleting": False}
    if end.sent is not None:
        changes["delete_allowed"] = False  # it was for the record of an object that was gone
    etag = end.verdict.etag if end.verdict else end.known.etag
    if end.action in (Action.CREATE, Action.REPLAY) and end.verdict is not None:
        remote_id = end.verdict.remote_id
        changes |= NO_CREATE | {"look_first": False}
        changes |= {"remote_id": remote_id, "last_remote_id": remote_id, "agreed": end.sent, "etag": etag}
        if end.action is Action.REPLAY:
            del changes["delivered"]
        return changes
    if end.action is Action.UPDATE:
        changes |= {"agreed": end.sent, "look_first": False, "etag": etag}
        moved_to = end.verdict.remote_id if end.verdict else None
        return changes | ({"remote_id": moved_to, "last_remote_id": moved_to} if moved_to else {})
    if end.action is Action.DELETE:
        return changes | {"remote_id": None, "agreed": None, "parent_id": None, "look_first": False, "etag": ""}
    return changes


def made(end: End) -> Changes:
    """Record that the target carried out the create without naming the record: it is looked for at once.

    Where the target honours keys, it is first asked to repeat its answer; one that repeats it without an id is not
    asked again.
    """
    changes: Changes = {"unconfirmed": True, "made": True, "not_before": None}
    changes["reason"] = end.verdict.why if end.verdict else ""
    return changes | ({"create_key": None} if end.action is Action.REPLAY else {})


def not_sent(claim: Claim, end: End) -> Changes:
    """Record that nothing was changed.

    The parent was no longer ready, the lease was too short, or the target refused the request.
    """
    changes: Changes = {"unconfirmed": claim.was, "deleting": end.known.deleting}
    return changes | (NO_CREATE if end.action is Action.CREATE else {})


def gone(why: str, rules: Rules) -> Changes:
    """Record that the target no longer has the record: the next claim creates it again, if a lookup finds no other.

    `agreed` is kept for that lookup: a record that still equals it is ours, under another id.
    """
    changes: Changes = {"remote_id": None, "unconfirmed": False, "deleting": False, "etag": ""}
    found_by: Changes = {"look_first": True} if rules.can_look_up else {"look_first": False, "agreed": None}
    return changes | found_by | {"reason": why}


def refused(claim: Claim, end: End) -> Changes:
    """Reject a refused object for as long as nothing else is delivered: another object may have been in its way.

    `refused_at` is when it was claimed, so that whatever was delivered beside it counts as delivered since. A refused
    replay or look-up is not tried again.
    """
    why = end.verdict.why if end.verdict else ""
    changes = rejected(claim, end, why)
    return changes if end.action in (Action.REPLAY, Action.LOOKUP) else changes | {"refused_at": claim.at}


def rejected(claim: Claim, end: End, why: str) -> Changes:
    """Set the object aside for a person, with the version that was claimed: no repeat would change the refusal.

    A refused replay or look-up says nothing about the create in question, which stays unanswered.
    """
    if end.action in (Action.REPLAY, Action.LOOKUP):
        why = phrase("did not settle whether a create arrived: %(why)s", why=why)
    is_gone = end.verdict is not None and end.verdict.outcome is Outcome.GONE
    if is_gone:
        why = phrase("no longer has this record: %(why)s", why=why)
    changes: Changes = {"rejected": claim.wanted, "gone": is_gone, "tries": claim.tries + 1, "refused_at": None}
    return not_sent(claim, end) | changes | {"reason": why}


def put_off(claim: Claim, end: End, why: str, *, now: datetime, jitter: float) -> Changes:
    """Record that nothing was changed and that a later try may succeed."""
    tries = claim.tries + 1
    later = now + timedelta(seconds=backoff(tries, jitter))
    return not_sent(claim, end) | {"tries": tries, "not_before": later, "reason": why}


def absent(claim: Claim, end: End, rules: Rules, *, now: datetime, jitter: float) -> Changes:
    """Try again while the absence of a record is not proved; after several such tries in a row a person decides."""
    why = end.verdict.why if end.verdict else ""
    word, most = (DISPUTED, DISPUTES) if end.verdict and end.verdict.is_disputed else (UNREAD, UNREADS)
    claim = claim if word in claim.why else replace(claim, tries=0)
    if claim.tries + 1 >= most and rules.is_answering:
        return rejected(claim, end, why) | {"gone": True}
    return put_off(claim, end, why, now=now, jitter=jitter)


def unknown(claim: Claim, verdict: Verdict, rules: Rules, *, now: datetime, jitter: float) -> Changes:
    """Keep the binding unconfirmed, and wait until no late request can arrive: this one may have been carried out."""
    tries = claim.tries + 1
    later = now + timedelta(seconds=max(rules.request_seconds, backoff(tries, jitter)))
    return {"unconfirmed": True, "tries": tries, "not_before": later, "reason": verdict.why}


def looked_up(claim: Claim, end: End, rules: Rules, *, now: datetime, jitter: float) -> Changes:
    """Record the result of a lookup, by the body of an unanswered create or by the object's present content.

    Where no record holds what the create sent, but `look_first` says that more may have happened than is known here,
    the record may have been changed since: it is looked up once more, by the object's present content. A create that
    was accepted is never sent again: its record is waited for.
    """
    if end.candidates:
        return found(claim, end, rules)
    if end.unproven and not end.known.made:
        since = end.known.create_at
        if claim.tries + 1 >= UNSHOWN or (since is not None and now >= since + PATIENCE):
            return doubtful(claim, end.unproven)
        return put_off(claim, end, end.unproven, now=now, jitter=jitter)
    if end.known.made:
        if end.known.create_at is None or now >= end.known.create_at + PATIENCE:
            return doubtful(claim, NEVER_LISTED)
        later = now + timedelta(seconds=backoff(claim.tries + 1, jitter))
        return {"unconfirmed": True, "tries": claim.tries + 1, "not_before": later, "reason": NOT_LISTED}
    settled = NO_CREATE | {"unconfirmed": False, "not_before": None, "agreed": None}
    return settled | {"look_first": end.known.look_first and end.known.create_body is not None}


def found(claim: Claim, end: End, rules: Rules) -> Changes:
    """Bind the only record that is equal to what was sent; leave the decision to a person where there is none such.

    `delivered` stays as it is, so that the object is compared again: the content of the record is not known.
    """
    chosen = decisive(end.candidates)
    if chosen is None and rules.overwrite and len(end.candidates) == 1:
        chosen = end.candidates[0]
    if chosen is None:
        return doubtful(claim, several(end.candidates), end.candidates) | (
            NO_CREATE if end.action is Action.CREATE else {}
        )
    changes = NO_CREATE | {"look_first": False, "unconfirmed": False, "not_before": None, "agreed": None, "etag": ""}
    return changes | {"remote_id": chosen.remote_id, "last_remote_id": chosen.remote_id}


def several(candidates: Sequence[Candidate]) -> str:
    """Return the reason that lists the possible matches, as many as fit into the column."""
    if len(candidates) == 1:
        return phrase("has a record that fits the lookup and differs: %(id)s", id=candidates[0].remote_id)
    ids = candidates[0].remote_id
    for candidate in candidates[1:]:
        if len(ids) + len(candidate.remote_id) > IDS_SHOWN:
            ids += ", …"
            break
        ids += f", {candidate.remote_id}"
    return phrase("%(number)s possible matches at the target: %(ids)s", number=len(candidates), ids=ids)


def doubtful(claim: Claim, why: str, candidates: Sequence[Candidate] = ()) -> Changes:
    """Leave the decision to a person: whether the target has the object's record can't be found out."""
    return doubt_about(candidates) | {"unconfirmed": claim.was, "reason": why}


def doubt_about(candidates: Sequence[Candidate]) -> Changes:
    """Leave to a person which of these records is the object's, if any."""
    kept: list[dict[str, Any]] = [{"id": one.remote_id, "shown": one.shown} for one in candidates[:CANDIDATES]]
    return {"in_doubt": True, "candidates": kept or None, "reason": several(candidates) if candidates else ""}


def taken_id(claim: Claim, action: Action, remote_id: str) -> Changes:
    """Record that the record's id already belongs to another object.

    After a look-up, another worker was quicker to bind the record; the next look-up sees that. An update was carried
    out, whatever id its answer names. After a create or a replay, the answer can't be true, so the outcome of the
    create is still unknown: the create stays unanswered, and the object is set aside.
    """
    if action is Action.LOOKUP:
        return {"unconfirmed": claim.was, "tries": claim.tries + 1}
    if action is Action.UPDATE:
        return {"unconfirmed": True, "tries": claim.tries + 1}
    why = phrase(
        "answered the create with the id %(id)s, which another object's record has already", id=id_text(remote_id)
    )
    changes: Changes = {"unconfirmed": True, "rejected": claim.wanted, "gone": False, "tries": claim.tries + 1}
    return changes | {"reason": why}


def decided(remote_id: str | None) -> Changes:
    """Record a person's decision: the record has this id, or (None) does not exist. Its content is not known."""
    settled = dict.fromkeys(("in_doubt", "look_first", "unconfirmed", "deleting", "gone"), False)
    record: Changes = {"remote_id": remote_id, "agreed": None, "lease_until": None, "candidates": None, "etag": ""}
    if remote_id is not None:
        record["last_remote_id"] = remote_id
    return SUCCESS | NO_CREATE | settled | record
