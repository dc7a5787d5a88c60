"""Finds the record of an unanswered create among the records that a target lists, and encodes remote ids."""

import json
import re
from collections.abc import Collection, Iterable

from syncer.core.decide import Payload

SURROGATE = re.compile(r"[\ud800-\udfff]")
ID_LENGTH = 256  # characters of an id as JSON text, as in the column


def encode_id(remote_id: int | str) -> str:
    """Return a remote id as JSON text, so that 5 and "5" remain two ids."""
    return json.dumps(remote_id)


def decode_id(remote_id: str) -> int | str:
    """Return the remote id that `encode_id` encoded."""
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

    Every field is compared, because servers ignore filters that they don't know.

    Args:
        bound: the encoded ids of records that belong to another object, and are never returned.
    """
    matches = {
        encode_id(record[id_field])
        for record in records
        if isinstance(record, dict)
        and is_id(record.get(id_field))
        and all(name in record and record[name] == value for name, value in body.items())
    }
    return sorted(matches - set(bound))
