"""The meaning of an HTTP answer, or of its absence, for a delivery: the table in docs/architecture.md, "Failure".

Also the ids that answers carry, and the search of a listed record that an unanswered create may have made.
"""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from backoffice.kit.retry import retry_after
from syncer.core.decide import Action, Payload

ANSWER_KEPT = 2000  # characters of an answer that an attempt keeps
EXCERPT = 200  # characters of it that a reason quotes
SURROGATE = re.compile(r"[\ud800-\udfff]")
ID_LENGTH = 256  # characters of an id as JSON text, as in the column


class Outcome(StrEnum):
    """The classes of answers, by what happens next."""

    DONE = "done"
    GONE = "gone"  # the record no longer exists
    RETRYABLE = "retryable"  # nothing was changed: try again later
    UNKNOWN = "unknown"  # the request may have been carried out
    PERMANENT = "permanent"  # refused: this object needs an edit
    CONFIGURATION = "configuration"  # refused: the target's settings need a person


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
    retry_after: str = ""  # the header of the same answer
    silence: Silence | None = None
    why: str = ""  # of a silence: a predicate that continues the target's name ("refused the connection")

    @property
    def text(self) -> str:
        """The text that an attempt keeps: the beginning of the answer, or the reason why there is none."""
        if self.silence is not None:
            return self.why
        text = self.body.decode(errors="replace") if self.excerpt is None else self.excerpt
        return text[:ANSWER_KEPT].replace("\x00", "")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The meaning of an exchange."""

    outcome: Outcome
    why: str = ""  # a predicate that continues the target's name ("answered 422: title is blank"); empty when done
    record: Payload = field(default_factory=dict)  # the JSON object of the answer, where the action expects one
    target_waits: float | None = None  # seconds for which the target asks for no requests; None: it names no time
    throttled: bool = False  # the target asks for no requests, with or without a time


class UnreadableError(ValueError):
    """The answer's body is not JSON."""


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body; None where the body is empty.

    Raises:
        UnreadableError: the body is not JSON.
    """
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:  # RecursionError: deeply nested lists
        raise UnreadableError("sent an answer that is not JSON") from error


def classify(action: Action, exchange: Exchange, *, now: datetime, id_field: str = "id") -> Verdict:
    """Return what `exchange` means for a delivery whose request was an `action`."""
    status = exchange.status or 0
    waits = retry_after(exchange.retry_after, now) if status in (429, 503) else None
    if exchange.silence is not None:
        return replace(_silence(action, exchange), target_waits=waits, throttled=status == 429)
    if 200 <= status < 300:
        return _success(action, exchange, id_field)
    why = f"answered {status}"
    if excerpt := exchange.text[:EXCERPT].strip():
        why = f"{why}: {excerpt}"
    if status in (404, 410) and action is Action.DELETE:
        return Verdict(outcome=Outcome.DONE)
    if status in (404, 410) and action is Action.UPDATE:
        return Verdict(outcome=Outcome.GONE, why=why)
    return Verdict(outcome=_refusal(action, status), why=why, target_waits=waits, throttled=status == 429)


def _silence(action: Action, exchange: Exchange) -> Verdict:
    if exchange.silence is Silence.REFUSED_BY_US:
        return Verdict(outcome=Outcome.CONFIGURATION, why=exchange.why)
    # A lookup changes nothing, so it does not matter where it was lost.
    if exchange.silence is Silence.NOT_SENT or action is Action.LOOKUP:
        return Verdict(outcome=Outcome.RETRYABLE, why=exchange.why)
    return Verdict(outcome=Outcome.UNKNOWN, why=exchange.why)


def _success(action: Action, exchange: Exchange, id_field: str) -> Verdict:
    """Classify a 2xx answer: done, unless the body lacks what the action needs."""
    lost = Outcome.RETRYABLE if action is Action.LOOKUP else Outcome.UNKNOWN
    try:
        answer = read_json(exchange.body)
    except UnreadableError as error:
        return Verdict(outcome=lost, why=str(error))
    if action is Action.LOOKUP and answer is None:
        return Verdict(outcome=lost, why="answered a list without a body")
    if action in (Action.CREATE, Action.REPLAY):
        if not isinstance(answer, dict) or not is_id(answer.get(id_field)):
            return Verdict(outcome=lost, why=f"answered a create without the new record's {id_field!r}")
        return Verdict(outcome=Outcome.DONE, record=answer)
    if action is not Action.PUSH:
        return Verdict(outcome=Outcome.DONE)
    if not isinstance(answer, dict):
        return Verdict(outcome=lost, why="answered a push with something other than an object")
    return Verdict(outcome=Outcome.DONE, record=answer)


def _refusal(action: Action, status: int) -> Outcome:
    if status in (401, 403) or 300 <= status < 400:
        return Outcome.CONFIGURATION
    if status in (408, 425, 429):
        return Outcome.RETRYABLE
    if status == 409 and action is Action.REPLAY:
        # draft-ietf-httpapi-idempotency-key-header, section 2.7: the first request is still being processed.
        return Outcome.RETRYABLE
    if status >= 500 or status < 300:
        return Outcome.RETRYABLE if action is Action.LOOKUP else Outcome.UNKNOWN
    # A peer answers for each object separately; where it refuses a whole push, the fault lies in the settings.
    return Outcome.CONFIGURATION if action is Action.PUSH else Outcome.PERMANENT


def unquoted(text: str) -> str:
    """Return a reason without the text that it quotes from a target's answer."""
    return re.sub(r"(answered \d+|another host): .*", r"\1", text, flags=re.DOTALL)


def encode_id(remote_id: int | str) -> str:
    """Return a remote id as JSON text, so that 5 and "5" remain two ids."""
    return json.dumps(remote_id)


def decode_id(remote_id: str) -> int | str:
    decoded: int | str = json.loads(remote_id)
    return decoded


def is_id(value: object) -> bool:
    """Return whether `value` can be a record's id: an integer, or a text that fits a column and a URL's path."""
    if isinstance(value, str):
        # A lone surrogate is not UTF-8; RFC 3986, section 5.2.4, removes dot segments from a path.
        return value not in ("", ".", "..") and not SURROGATE.search(value) and len(encode_id(value)) <= ID_LENGTH
    return isinstance(value, int) and not isinstance(value, bool) and len(encode_id(value)) <= ID_LENGTH


def candidates(records: Iterable[object], body: Payload, *, id_field: str, bound: Collection[str]) -> list[str]:
    """Return the encoded ids of the records that may have been created with `body`, sorted.

    Every field is compared, because servers ignore filters that they don't know. Records whose encoded id is `bound`
    to another object are left out.
    """
    matches = {
        encode_id(record[id_field])
        for record in records
        if isinstance(record, dict)
        and is_id(record.get(id_field))
        and all(name in record and record[name] == value for name, value in body.items())
    }
    return sorted(matches - set(bound))
