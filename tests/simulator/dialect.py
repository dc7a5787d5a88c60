"""The ways in which targets differ from what they are sent, and from each other: the axes of the simulated remote."""

import html
import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from syncer.core.decide import Payload

HEADING = {"heading": "title"}  # the other name of a field, at targets and in routes


def lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def escaped(value: Any) -> Any:
    return html.escape(value) if isinstance(value, str) else value


def text(value: Any) -> Any:
    return f"  {value}" if isinstance(value, str) else str(value)


def plain(value: Any) -> Any:
    """Lose the accents and all signs but letters: more than a spelling, so that a person has to decide."""
    if not isinstance(value, str):
        return value
    return "".join(
        sign for sign in unicodedata.normalize("NFKD", value) if sign.isascii() and (sign.isalnum() or sign == " ")
    )


SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "as sent": lambda value: value,
    "lower case": lower,
    "escaped": escaped,
    "all texts": text,
    "plain letters": plain,
}


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one target keeps, answers and refuses.

    Attributes:
        honors_keys: a create with a known key is answered as it was the first time.
        honors_filters: a filtered list has only the records that equal the filter, as they are kept; else all.
        strict: a comment of a missing post is refused.
        below: what deleting a post does to its comments: `cascade`, `refuse` (while there are any), `leave`.
        spelling: how values are kept, a key of SPELLINGS.
        creates: how a create is answered: `record`, `empty` (201 without a body), `see` (303 with Location),
            `see nothing` (303 without), `accepted` (202; the record is listed later).
        ids: `numbers`, `texts`, or `mixed`: texts in answers to creates, and numbers in lists.
        unique: the status with which a second post of the same title is refused; 0: it is not.
        slow: seconds for which a deleted record is still listed.
        has_firewall: 403 is the answer to everything in which one text stands.
    """

    honors_keys: bool = False
    honors_filters: bool = True
    strict: bool = True
    below: str = "cascade"
    spelling: str = "as sent"
    creates: str = "record"
    ids: str = "numbers"
    unique: int = 0
    slow: float = 0.0
    has_firewall: bool = False

    @property
    def is_lossy(self) -> bool:
        """Whether a value is kept so that it might be another's."""
        return self.spelling == "plain letters"

    def kept(self, body: Payload) -> Payload:
        """Return the fields of a record that was sent as `body`."""
        return {HEADING.get(name, name): SPELLINGS[self.spelling](value) for name, value in body.items()}

    def id_answered(self, number: int) -> int | str:
        return number if self.ids == "numbers" else str(number)

    def id_listed(self, number: int) -> int | str:
        return str(number) if self.ids == "texts" else number


DIALECTS = st.builds(
    Dialect,
    honors_keys=st.booleans(),
    honors_filters=st.booleans(),
    strict=st.booleans(),
    below=st.sampled_from(["cascade", "refuse", "leave"]),
    spelling=st.sampled_from([*SPELLINGS]),
    creates=st.sampled_from(["record", "record", "record", "empty", "see", "see nothing", "accepted"]),
    ids=st.sampled_from(["numbers", "texts", "mixed"]),
    unique=st.sampled_from([0, 0, 409, 422]),
    slow=st.sampled_from([0.0, 0.0, 40.0]),
    has_firewall=st.booleans(),
)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()
