"""What may be kept of a record that another system sent."""

from typing import Any

import orjson
from django.core.exceptions import ValidationError

MOST = 256 * 1024  # bytes of JSON that one item keeps
DEPTH = 32  # levels; the JSON library gives up at 254
NUMBER_MOST = 2**63  # a longer whole number has no place in our JSON


def check_record(value: Any) -> None:
    """Refuse what is no JSON object, or one that a database or our own answers can't hold.

    Raises:
        ValidationError: the message is a predicate, it reads on from the name of what holds `value`.
    """
    if not isinstance(value, dict):
        raise ValidationError("is not a JSON object.", code="not_an_object")
    check_json(value)
    if len(orjson.dumps(value)) > MOST:
        raise ValidationError("is larger than %(most)s bytes.", code="too_large", params={"most": MOST})


def check_json(value: Any, depth: int = DEPTH) -> None:
    """Refuse JSON that is nested too deeply, text with null characters, and numbers beyond 64 bits.

    Raises:
        ValidationError: as `check_record`.
    """
    if depth == 0:
        raise ValidationError("is nested more than %(most)s levels deep.", code="too_deep", params={"most": DEPTH})
    if isinstance(value, str) and "\0" in value:
        raise ValidationError("holds a null character.", code="null_character")
    if isinstance(value, int | float) and not -NUMBER_MOST <= value < NUMBER_MOST:
        raise ValidationError("holds a number beyond 64 bits.", code="too_wide")
    for part in _parts(value):
        check_json(part, depth - 1)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []
