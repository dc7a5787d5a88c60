"""The meaning of an HTTP answer, or of its absence, for a delivery: the table in docs/architecture.md, "Failure".

One answer is classified by `classify`. Where it proves nothing (404, 403, 405), the sender asks for evidence, and
`confirmed` says what all answers mean together. The module has over 300 lines because no answer is judged elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from backoffice.kit.phrases import message_of, phrase, without_quotes
from backoffice.kit.retry import rate_limit_wait, retry_after
from syncer.core.answers import MISSING, Answers, UnreadableError, at, read_json
from syncer.core.decide import Action, Payload
from syncer.core.ids import encode_id, is_id

ANSWER_KEPT = 2000  # characters of an answer that an attempt keeps
EXCERPT = 200  # characters of it that a reason quotes
# Words of the phrases below, by which a reason of this kind is recognized.
DISPUTED = ", so this is not believed"
UNREAD = "; its list can't be read either"


class Outcome(StrEnum):
    """The classes of answers, by what happens next."""

    DONE = "done"
    MADE = "made"  # the create was carried out, but the new record's id is not known
    GONE = "gone"  # the record no longer exists
    RETRYABLE = "retryable"  # nothing was changed: try again later
    UNKNOWN = "unknown"  # the request may have been carried out
    PERMANENT = "permanent"  # refused: this object needs an edit
    TAKEN = "taken"  # refused, because the target has such a record already
    FORBIDDEN = "forbidden"  # refused, and it is not certain whether because of the object or of the target's settings
    CONFIGURATION = "configuration"  # refused: the target's settings need a person


# Refusals of the form of a request, or of who sends it, rather than of what is in it.
FORM = (402, 403, 405, 406, 407, 415, 426, 428)
WAITS = (420, 429, 430)  # 420 and 430: those of services with a status of their own for it
LOCKED = (408, 423, 425)  # RFC 4918, section 11.3: somebody works on the record
REFUSED = (Outcome.PERMANENT, Outcome.TAKEN, Outcome.FORBIDDEN)  # of one object, as far as is known


class Silence(StrEnum):
    """The reasons why there is no answer."""

    NOT_SENT = "not sent"  # the request never left
    LOST = "lost"  # the request may have arrived
    REFUSED_BY_US = "refused by us"  # the address or its certificate is not allowed


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """The end of one request: an answer, or a `silence`."""

    status: int | None = None  # where a failed sign-in kept the request from being sent, that of the sign-in
    body: bytes = field(default=b"", repr=False)  # whole, for the code that reads it
    excerpt: str | None = None  # the beginning without secrets, to be stored and shown; None: taken from `body`
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the same answer, names in lower case
    silence: Silence | None = None
    why: str = ""  # of a silence: a phrase that continues the target's name ("refused the connection")

    @cached_property
    def answer(self) -> Any:
        """The JSON value of the body; None where it is empty.

        Raises:
            UnreadableError: the body is not JSON.
        """
        return read_json(self.body)

    @property
    def text(self) -> str:
        """The text that an attempt keeps: the beginning of the answer, or the reason why there is none."""
        if self.silence is not None:
            return self.why
        text = self.body.decode(errors="replace") if self.excerpt is None else self.excerpt
        return text[:ANSWER_KEPT].replace("\x00", "")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The meaning of an exchange, or of several that belong together."""

    outcome: Outcome
    why: str = ""  # a phrase that continues the target's name ("answered 422: title is blank"); empty when done
    remote_id: str | None = None  # the encoded id of the record that a create made
    etag: str = ""  # the record's ETag after a write; empty where it is not known, or weak
    record: Payload = field(default_factory=dict)  # the JSON object with which a peer answers a push
    target_waits: float | None = None  # seconds for which the target asks for no requests; None: it names no time
    throttled: bool = False  # the target asks for no requests, with or without a time
    is_unproven: bool = False  # something else of the same path must be asked for before this is believed
    is_strange: bool = False  # of a list: the answer is 2xx and holds no list at all, as that of a gateway
    may_pass: bool = False  # a refusal that is seldom about one object, so that it is tried some times before it counts
    is_disputed: bool = False  # the target says of one record that it is gone, and that it is there
    is_list_empty: bool = False  # of a record that seems to be gone: the list of its path shows nothing at all
    is_unread: bool = False  # the target says that a record is gone, and its list can't be read


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a new record's address is expected, to read its id out of `Location`.

    Attributes:
        before, after: what stands before and after the id in the path of a record's address.
    """

    before: str
    after: str = ""

    def id_in(self, location: str) -> str | None:
        """Return the encoded id of the record at an address; None where it is not one of this place.

        An id of digits is taken for a number: most APIs have such ids, and ids are compared by their text.
        """
        path = re.sub(r"^[a-z]+://[^/]*", "", location.strip(), flags=re.IGNORECASE)
        path = re.split(r"[?#]", path)[0]
        if not (path.startswith(self.before) and path.endswith(self.after)):
            return None
        text = unquote(path[len(self.before) : len(path) - len(self.after)]).strip("/")
        if "/" in text or not is_id(text):
            return None
        return text if re.fullmatch(r"0|[1-9]\d{0,17}", text) else encode_id(text)


def classify(
    action: Action,
    exchange: Exchange,
    *,
    now: datetime,
    answers: Answers | None = None,
    place: Place | None = None,
) -> Verdict:
    """Return what `exchange` means for a delivery whose request was an `action`.

    Args:
        answers: how the target's answers are read; by default plainly.
        place: where new records are, for a `Location` that names one.
    """
    status = exchange.status or 0
    waits = _wait(exchange, now)
    throttled = status in WAITS or (status == 403 and waits is not None)
    if exchange.silence is not None:
        return replace(_silence(action, exchange), target_waits=waits, throttled=throttled)
    is_create = action in (Action.CREATE, Action.REPLAY)
    if 200 <= status < 300 or (status == 304 and action in (Action.UPDATE, Action.DELETE)):
        return _success(action, exchange, answers or Answers(), place, now)
    if status == 303 and is_create:  # RFC 9110, section 15.4.4: carried out, and the answer is elsewhere
        return _made(exchange, place, phrase("answered a create with 303"))
    why = phrase("answered %(status)s", status=status, quoted=exchange.text[:EXCERPT].strip())
    outcome = _refusal(action, exchange, throttled)
    is_unproven = (
        outcome in (Outcome.GONE, Outcome.FORBIDDEN)
        or (status in (404, 410) and outcome is Outcome.PERMANENT)
        or outcome is Outcome.CONFIGURATION  # of one record only, as may be
    )
    return Verdict(
        outcome=outcome,
        why=why,
        target_waits=waits,
        throttled=throttled,
        is_unproven=is_unproven and action in (Action.CREATE, Action.REPLAY, Action.UPDATE, Action.DELETE),
    )


def _wait(exchange: Exchange, now: datetime) -> float | None:
    """Return the seconds for which an answer asks for no requests; None where it names no time."""
    if exchange.status not in (403, 503, *WAITS):
        return None
    seconds = retry_after(exchange.headers.get("retry-after", ""), now)
    return rate_limit_wait(exchange.headers, now) if seconds is None and exchange.status != 503 else seconds


def _silence(action: Action, exchange: Exchange) -> Verdict:
    if exchange.silence is Silence.REFUSED_BY_US:
        return Verdict(outcome=Outcome.CONFIGURATION, why=exchange.why)
    # A lookup changes nothing, so it does not matter where it was lost.
    if exchange.silence is Silence.NOT_SENT or action is Action.LOOKUP:
        return Verdict(outcome=Outcome.RETRYABLE, why=exchange.why)
    return Verdict(outcome=Outcome.UNKNOWN, why=exchange.why)


def _success(action: Action, exchange: Exchange, answers: Answers, place: Place | None, now: datetime) -> Verdict:
    """Classify a 2xx answer: done, unless it says that it was not, or lacks what the action needs."""
    etag = exchange.headers.get("etag", "")
    done = Verdict(outcome=Outcome.DONE, etag="" if etag.startswith("W/") else etag)
    try:
        answer = exchange.answer
    except UnreadableError as error:
        if action is Action.LOOKUP:
            return Verdict(outcome=Outcome.RETRYABLE, why=message_of(error))
        if action is Action.PUSH or answers.ok or answers.error:  # the status alone is not to be believed
            return Verdict(outcome=Outcome.UNKNOWN, why=message_of(error))
        return _made(exchange, place, message_of(error)) if action in (Action.CREATE, Action.REPLAY) else done
    if action is Action.PUSH:
        if not isinstance(answer, dict):
            return Verdict(outcome=Outcome.UNKNOWN, why=phrase("answered a push with something other than an object"))
        return Verdict(outcome=Outcome.DONE, record=answer)
    if action is Action.LOOKUP:
        no_body = Verdict(outcome=Outcome.RETRYABLE, why=phrase("answered a list without a body"))
        return done if answer is not None else no_body
    if answer is not None and (refusal := answers.refusal(answer)):
        why = phrase("answered %(status)s with %(refusal)s", status=exchange.status or 0, refusal=refusal)
        if status := answers.refused_status(answer):
            return replace(classify(action, replace(exchange, status=status), now=now), why=why)
        # It may say that the record is gone.
        is_unproven = action in (Action.UPDATE, Action.DELETE)
        return Verdict(outcome=Outcome.PERMANENT, why=why, is_unproven=is_unproven)
    if action not in (Action.CREATE, Action.REPLAY):
        return done
    # RFC 9110, section 15.3.3: a 202 without the record describes the work that is to be done.
    is_record = exchange.status != 202 or any(
        at(at(answer, answers.record), name) is not MISSING for name in answers.names
    )
    if is_record and (remote_id := answers.id_in(answer)):
        return replace(done, remote_id=remote_id)
    return _made(exchange, place, phrase("answered a create without the new record's '%(id)s'", id=answers.id))


def _made(exchange: Exchange, place: Place | None, why: str) -> Verdict:
    """Classify a create that was carried out: done if `Location` names the record."""
    location = exchange.headers.get("location", "")
    remote_id = place.id_in(location) if place and location else None
    if remote_id is None:
        return Verdict(outcome=Outcome.MADE, why=why)
    return Verdict(outcome=Outcome.DONE, remote_id=remote_id)


def _refusal(action: Action, exchange: Exchange, throttled: bool) -> Outcome:  # noqa: FBT001
    status = exchange.status or 0
    is_create = action in (Action.CREATE, Action.REPLAY)
    if (
        throttled
        or status in LOCKED
        or (400 <= status < 500 and status not in (401, 403) and "retry-after" in exchange.headers)
    ):
        return Outcome.RETRYABLE
    if action is Action.PUSH and 400 <= status < 500 and status != 401:
        # A peer answers for each object separately; where it refuses a whole push, the fault lies in the settings.
        # What is not written as it writes its refusals (RFC 9457) comes from a gateway before it.
        is_ours = "problem+json" in exchange.headers.get("content-type", "")
        return Outcome.CONFIGURATION if is_ours else Outcome.RETRYABLE
    if status in (301, 302) and is_create:
        return Outcome.UNKNOWN  # RFC 9110, section 15.4.2: some servers answer so after they carried it out
    if status == 401 or 300 <= status < 400:
        return Outcome.CONFIGURATION
    if status == 405 and action is Action.LOOKUP:
        return Outcome.PERMANENT  # the API has no lists
    if status in FORM:
        return Outcome.FORBIDDEN
    if status in (404, 410):
        return _absence(action)
    if status == 409 and action is Action.REPLAY:
        # draft-ietf-httpapi-idempotency-key-header, section 2.7: the first request is still being processed.
        return Outcome.RETRYABLE
    if status >= 500 or status < 300:
        return Outcome.RETRYABLE if action is Action.LOOKUP else Outcome.UNKNOWN
    if status in (409, 412) and action is Action.CREATE:
        return Outcome.TAKEN
    return Outcome.PERMANENT


def _absence(action: Action) -> Outcome:
    """Return what 404 and 410 seem to say: only of a record that was there can they mean that it is gone."""
    if action is Action.LOOKUP:
        return Outcome.RETRYABLE
    return Outcome.GONE if action in (Action.UPDATE, Action.DELETE) else Outcome.PERMANENT


def confirmed(
    verdict: Verdict,
    listing: Verdict,
    record: Exchange | None = None,
    *,
    is_listed: bool = False,
    has_succeeded: bool = False,
) -> Verdict:
    """Return what a refusal means, now that the list of the same path was asked for, and of a lost record that too.

    A gateway whose service is down answers 404 to everything, a firewall 403 to one text. The function has over 40
    lines because it is a table of what the answers mean together, row by row.

    Args:
        listing: the verdict on the list.
        record: the answer to a GET of the record; None where it was not asked for.
        is_listed: whether the list has the record.
        has_succeeded: whether the target carried out another request of the same run; so where it has no lists, what it
            forbids is the object.
    """
    if verdict.outcome in (Outcome.DONE, Outcome.MADE):
        if not listing.is_strange:
            return replace(verdict, is_unproven=False)
        return Verdict(
            outcome=Outcome.UNKNOWN,
            why=phrase("answered with something else than a record, and so does its list: %(why)s", why=listing.why),
        )
    if verdict.outcome is Outcome.CONFIGURATION:
        is_one = listing.outcome is Outcome.DONE
        outcome = Outcome.FORBIDDEN if is_one else verdict.outcome
        return replace(verdict, outcome=outcome, is_unproven=False, may_pass=is_one)
    if listing.outcome is not Outcome.DONE:
        is_settings = listing.outcome is Outcome.CONFIGURATION or (
            listing.outcome is verdict.outcome is Outcome.FORBIDDEN
        )
        if is_settings:
            return replace(listing, outcome=Outcome.CONFIGURATION)
        if verdict.outcome is Outcome.FORBIDDEN and listing.outcome is Outcome.PERMANENT and has_succeeded:
            return replace(verdict, is_unproven=False)
        why = phrase(
            "%(why)s; its list can't be read either, so this proves nothing (%(list)s)",
            why=verdict.why,
            list=listing.why,
        )
        is_unread = verdict.outcome is Outcome.GONE
        return replace(listing, outcome=Outcome.RETRYABLE, why=why, is_unread=is_unread)
    status = record.status or 0 if record is not None else 404
    verdict = replace(verdict, is_unproven=False)
    if verdict.outcome is Outcome.PERMANENT and record is not None and status in (404, 410):
        verdict = replace(verdict, outcome=Outcome.GONE)  # of a target that answers everything with 200
    if verdict.outcome is not Outcome.GONE:
        return verdict
    if is_listed or 200 <= status < 300:
        why = phrase("%(why)s; but the record is there, so this is not believed", why=verdict.why)
        return Verdict(outcome=Outcome.RETRYABLE, why=why, is_disputed=True)
    if status in (404, 405, 410):
        return verdict
    why = phrase("%(why)s; asked again, it %(again)s", why=verdict.why, again=_asked_again(record))
    return Verdict(outcome=Outcome.RETRYABLE, why=why)


def _asked_again(record: Exchange | None) -> str:
    if record is None or record.silence is not None:
        return record.why if record else phrase("was not asked")
    return phrase("answered %(status)s", status=record.status or 0)


def unquoted(text: str) -> str:
    """Return a reason without the text that it quotes from a target's answer, or from an object that can't be sent."""
    return without_quotes(text, _cut_off)


def _cut_off(text: str) -> str:
    return re.sub(r"(answered \d+|another host|Value|Error): .*", r"\1", text, flags=re.DOTALL)
