"""The limits of a record from another system."""

import orjson
from django.core.exceptions import ValidationError

MOST = 256 * 1024  # bytes of JSON in one item
DEPTH = 32  # levels; the JSON library gives up at 254
NUMBER_MOST = 2**63  # orjson writes no integers beyond 64 bits


def check_record(value: object) -> None:
    """Refuse a value that is not a JSON object, or that a database or our own JSON can't hold.

    Raises:
        ValidationError: the message is a predicate, such as "is not a JSON object.", to follow a subject.
    """
    if not isinstance(value, dict):
        raise ValidationError("is not a JSON object.", code="not_an_object")
    check_json(value)
    if len(orjson.dumps(value)) > MOST:
        raise ValidationError("is larger than %(most)s bytes.", code="too_large", params={"most": MOST})


def check_json(value: object, depth: int = DEPTH) -> None:
    """Refuse JSON that is nested too deeply, text with null characters, and numbers beyond 64 bits.

    Raises:
        ValidationError: the message is a predicate, as in `check_record`.
    """
    if depth == 0:
        raise ValidationError("is nested more than %(most)s levels deep.", code="too_deep", params={"most": DEPTH})
    if isinstance(value, str) and "\0" in value:
        raise ValidationError("holds a null character.", code="null_character")
    if isinstance(value, int | float) and not -NUMBER_MOST <= value < NUMBER_MOST:
        raise ValidationError("holds a number beyond 64 bits.", code="too_wide")
    parts: list[object] = []
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list):
        parts = value
    for part in parts:
        check_json(part, depth - 1)
