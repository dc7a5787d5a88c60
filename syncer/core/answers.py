"""How the bodies of a target's answers are read: where they have the record, its id, and word of a refusal.

Places are dotted paths, `data.attributes`; an empty path is the body itself.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from syncer.core.ids import encode_id, is_id


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
NAMES_SHOWN = 8  # names of a record that a message lists
NOTHING: Final[tuple[Any, ...]] = (MISSING, None, "", [], {}, False, 0)  # at the place of `error`: there is no error
NOT_OK: Final[tuple[Any, ...]] = (*NOTHING, "false", "error")  # at the place of `ok`: the request was not carried out


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
    """Return the names that a JSON object has, `_id, title, …`, for a message that helps to find the right one."""
    names = [str(name)[:40] for name in value] if isinstance(value, dict) else []
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
        value = at(record, self.id)
        return encode_id(value) if is_id(value) else None

    def id_in(self, answer: object) -> str | None:
        """Return the id of the record in an answer for a single record."""
        return self.id_of(at(answer, self.record))

    def refusal(self, answer: object) -> str:
        """Return why an answer with status 2xx is a refusal after all; empty where it is none.

        Without `ok` and `error`, an object that names errors and has neither an id nor any of the route's fields is
        one: some APIs answer everything with 200.
        """
        if self.ok or self.error:
            if self.error and at(answer, self.error) not in NOTHING:
                return f"{self.error}: {json.dumps(at(answer, self.error))}"
            if self.ok and at(answer, self.ok) in NOT_OK:
                return f"{self.ok} is not true"
            return ""
        if not isinstance(answer, dict):
            return ""
        errors = answer.get("errors") or answer.get("error")
        failed = any(answer.get(name) is False for name in ("success", "ok", "status"))
        if not errors and not failed:
            return ""
        record = at(answer, self.record)
        if self.id_of(record) or any(at(record, name) is not MISSING for name in self.names):
            return ""
        return f"errors: {json.dumps(errors or answer)}"


def records_error(records: Iterable[object], answers: Answers) -> str:
    """Return what is wrong with the records of a list: one is not an object, or has no id; empty where nothing is."""
    for record in records:
        if not isinstance(record, dict):
            return "lists records that are not JSON objects"
        if answers.id_of(record) is None:
            return f"has records without a readable {answers.id!r}; they have: {names_of(record)}"
    return ""
