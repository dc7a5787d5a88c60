"""How the bodies of a target's answers are read: where they have the record, its id, and word of a refusal.

Places are dotted paths, `data.attributes`; an empty path is the body itself.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from backoffice.kit.phrases import Phrase, phrase
from syncer.core.ids import readable_id


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
NAME_MOST = 60  # characters of a name that is shown
NAMES_SHOWN = 8  # names of a record that a message lists
LEVELS = 4  # of an answer, in which a refusal is looked for
ERRORS = ("errors", "error", "userErrors", "user_errors")  # have something only where a request was refused
CODES = ("errcode", "errorCode", "error_code")  # are not 0 only where a request was refused
FLAGS = ("success", "ok", "status", "succeeded", "result")  # false, or one of FAILED, where a request was refused
FAILED = frozenset({"false", "error", "fail", "failed", "failure", "ko", "nok"})
STATUSES = ("status", "code", "statusCode", "status_code", "httpStatus")  # may hold the status of a refusal
NO_ERROR = frozenset({"", "0", "false", "none", "null", "ok", "success"})
DELETED = re.compile(r"(is|in)?(deleted|trashed|trash|removed)(at|on|date)?|date(deleted|trashed|removed)")
ARCHIVED = re.compile(r"(is)?archived(at|on|date)?|datearchived")


NOT_JSON = phrase("sent an answer that is not JSON")


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
        raise UnreadableError(NOT_JSON) from error


def at(value: Any, path: str) -> Any:
    """Return what `value` has at a dotted path, MISSING where it has nothing there.

    A name that itself contains dots is preferred to nested ones.
    """
    if not path:
        return value
    if not isinstance(value, Mapping):
        return MISSING
    if path in value:
        return value[path]
    name, dot, rest = path.partition(".")
    return at(value[name], rest) if dot and name in value else MISSING


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"author": {"id": 5}}` for `{"author.id": 5}`."""
    result: dict[str, Any] = {}
    for path, value in flat.items():
        *above, name = path.split(".")
        place = result
        for part in above:
            place = place.setdefault(part, {})
        place[name] = value
    return result


def names_of(value: object) -> str:
    """Return the names that a JSON object has, `_id, title, …`, for a message that helps to find the right one.

    A long name is left out, not cut: it may be a secret of ours that a server sends back, and is found whole only.
    """
    names = [name if len(name) <= NAME_MOST else "…" for name in map(str, value)] if isinstance(value, dict) else []
    more = ", …" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more or "nothing"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The places in the answers of one route's target.

    Attributes:
        id: of a record's id, within the record.
        record: of the record, in the answer for a single one.
        items: of the records, in a list answer.
        ok: what is true if a request was carried out; empty: the status alone says so.
        error: what is there only if a request was refused.
        names: the remote names that are sent.
    """

    id: str = "id"
    record: str = ""
    items: str = ""
    ok: str = ""
    error: str = ""
    names: frozenset[str] = frozenset()

    def id_of(self, record: object) -> str | None:
        """Return a record's id as JSON text; None where it has no readable one."""
        return readable_id(at(record, self.id))

    def id_in(self, answer: object) -> str | None:
        """Return the id of the record in an answer for a single record."""
        return self.id_of(at(answer, self.record))

    def shows_record(self, value: object) -> bool:
        """Return whether a value is a record of the route, as far as can be seen: it has an id, or a field of ours."""
        return self.id_of(value) is not None or any(at(value, name) is not MISSING for name in self.names)

    def refusal(self, answer: object, *, levels: int = LEVELS) -> str:
        """Return why an answer with status 2xx is a refusal after all; empty where it is none.

        Without `ok` and `error`, an object that names errors, or says that it failed, and has neither an id nor any of
        the route's fields is one: some APIs answer everything with 200, others with 207 for each of several.

        Args:
            levels: of the answer in which a refusal is looked for.
        """
        if self.ok or self.error:
            error, ok = at(answer, self.error), at(answer, self.ok)
            if self.error and error is not MISSING and not _is_nothing(error):
                return _quoting(self.error, error)
            if self.ok and (ok in (MISSING, None, "", [], {}, 0) or _is_failure(ok)):
                return phrase("%(place)s is not true", place=self.ok)
            return ""
        return "" if self.shows_record(at(answer, self.record)) else self._complaint(answer, levels)

    def _complaint(self, value: object, levels: int) -> str:
        """Return the errors that an object names, or one within it; empty where there are none."""
        if isinstance(value, list):
            return next(filter(None, (self._complaint(one, levels - 1) for one in value)), "") if levels else ""
        if not isinstance(value, Mapping) or not levels or self.shows_record(value):
            return ""
        errors = next((value[name] for name in ERRORS if name in value and not _is_nothing(value[name])), None)
        failed = any(_is_failure(value.get(name)) for name in FLAGS) or any(
            not _is_nothing(value.get(name)) for name in CODES
        )
        if errors is not None or failed or _status_of(value, ("code", "statusCode", "status_code")):
            return _quoting("errors", value if errors is None else errors)
        return next(filter(None, (self._complaint(inner, levels - 1) for inner in value.values())), "")

    def refused_status(self, answer: object, *, levels: int = LEVELS) -> int:
        """Return the HTTP status that a refusal names in its body; 0 where it names none."""
        if isinstance(answer, list):
            return next(filter(None, (self.refused_status(one, levels=levels - 1) for one in answer)), 0)
        if not isinstance(answer, Mapping) or not levels:
            return 0
        inner = (self.refused_status(value, levels=levels - 1) for value in answer.values())
        return _status_of(answer, STATUSES) or next(filter(None, inner), 0)

    def is_deleted(self, record: object, *, or_archived: bool = False) -> bool:
        """Return whether a record that is still shown says of itself that it was deleted: `deleted_at`, `isDeleted` …

        Fields that the route sends say nothing of that.
        """
        if not isinstance(record, Mapping):
            return False
        for name, value in record.items():
            word = re.sub(r"[^a-z]", "", str(name).lower())
            if name in self.names or isinstance(value, Mapping | list):
                continue
            if word in ("status", "state"):
                word = str(value).lower()
            elif _is_nothing(value):
                continue
            if DELETED.fullmatch(word) or (or_archived and ARCHIVED.fullmatch(word)):
                return True
        return False


def _quoting(place: str, value: object) -> Phrase:
    """Return what an answer has in a place, after the name of the place; whole: of a secret, no part may be cut off."""
    return Phrase("%(place)s", {"place": place}, quoted=json.dumps(value))


def _is_nothing(value: object) -> bool:
    """Return whether the value of a field for errors says that there are none."""
    if isinstance(value, Mapping):
        return all(_is_nothing(one) for one in value.values())
    return value in (None, [], 0) or str(value).strip().lower() in NO_ERROR  # 0 is False too


def _is_failure(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() in FAILED)


def _status_of(value: Mapping[str, Any], names: Iterable[str]) -> int:
    """Return the HTTP status of a refusal that an object has under one of these names; 0 where it has none."""
    texts = (str(value.get(name)) for name in names if not isinstance(value.get(name), float))
    return next((int(text) for text in texts if re.fullmatch(r"[45]\d\d", text)), 0)


def records_error(records: Iterable[object], answers: Answers) -> str:
    """Return what is wrong with the records of a list: one is not an object, or none has an id; empty where nothing is.

    A single record without an id is a fault of that record; where none has one, the route looks in the wrong place.
    """
    records = list(records)
    if not all(isinstance(record, dict) for record in records):
        return phrase("lists records that are not JSON objects")
    if not records or any(answers.id_of(record) is not None for record in records):
        return ""
    return phrase(
        "has records without a readable '%(id)s'; they have: %(names)s", id=answers.id, names=names_of(records[0])
    )
