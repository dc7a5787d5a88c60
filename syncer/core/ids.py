"""Ids of records, as answers carry them and as bindings keep them."""

import json
import re

SURROGATE = re.compile(r"[\ud800-\udfff]")
NUMBER = re.compile(r"0|-?[1-9]\d*")  # a whole number in JSON's notation
ID_LENGTH = 256  # characters of an id as JSON text, as in the column


def encode_id(remote_id: int | str) -> str:
    """Return a remote id as JSON text, so that a child is sent 5 as a number and "5" as a text."""
    return str(remote_id) if type(remote_id) is int else json.dumps(remote_id)


def decode_id(remote_id: str) -> int | str:
    if NUMBER.fullmatch(remote_id):
        return int(remote_id)
    decoded: int | str = json.loads(remote_id)
    return decoded


def spellings(remote_id: str) -> tuple[str, ...]:
    """Return the encoded ids that name the same record: APIs answer 5 in one place and "5" in another."""
    text = str(decode_id(remote_id))
    return (text, encode_id(text)) if NUMBER.fullmatch(text) else (encode_id(text),)


def id_text(remote_id: str) -> str:
    """Return an encoded id as people and addresses spell it; two ids are the same record if their texts are equal."""
    return str(decode_id(remote_id))


def readable_id(value: object) -> str | None:
    """Return the encoded id that a value of an answer is; None where it can't be one.

    Some services write whole numbers as 5.0. A double has every whole number below 2 ** 53.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return encode_id(value) if isinstance(value, int | str) and is_id(value) else None


def is_id(value: object) -> bool:
    """Return whether `value` can be a record's id: an integer, or a text that fits a column and a URL's path."""
    if isinstance(value, str):
        # A lone surrogate is not UTF-8; RFC 3986, section 5.2.4, removes dot segments from a path.
        return value not in ("", ".", "..") and not SURROGATE.search(value) and len(encode_id(value)) <= ID_LENGTH
    return isinstance(value, int) and not isinstance(value, bool) and len(encode_id(value)) <= ID_LENGTH
