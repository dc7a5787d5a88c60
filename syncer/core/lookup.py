"""Finding an uncertain create again among the records that a target lists."""

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

from syncer.core.decide import Payload

SURROGATE = re.compile(r"[\ud800-\udfff]")
ID_LENGTH = 256  # characters of an id as JSON text, the column's


def encode_id(remote_id: int | str) -> str:
    """A remote id as JSON text, so that 5 and "5" stay two ids."""
    return json.dumps(remote_id)


def decode_id(remote_id: str) -> int | str:
    """The inverse of `encode_id`."""
    decoded: int | str = json.loads(remote_id)
    return decoded


def is_id(value: Any) -> bool:
    """Whether a target may use `value` as a record's id: a number, or a text that a binding and an address can hold."""
    if isinstance(value, str):
        # A lone surrogate is not UTF-8; RFC 3986, section 5.2.4, takes dots out of a path.
        return value not in ("", ".", "..") and not SURROGATE.search(value) and len(encode_id(value)) <= ID_LENGTH
    return isinstance(value, int) and not isinstance(value, bool) and len(encode_id(value)) <= ID_LENGTH


def candidates(records: Iterable[Any], body: Payload, *, id_field: str, bound: Collection[str]) -> list[str]:
    """The encoded ids of the records that may be the one that `body` made.

    Every field is compared, because servers ignore filters that they don't know. A record that is bound already
    belongs to another object and is never taken.
    """
    found = {
        encode_id(record[id_field])
        for record in records
        if isinstance(record, dict)
        and is_id(record.get(id_field))
        and all(name in record and record[name] == value for name, value in body.items())
    }
    return sorted(found - set(bound))
