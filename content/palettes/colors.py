"""A list of colors: how people write it, and what it is kept as."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import Field

MOST = 64  # colors of one palette
COLOR = re.compile(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
# For the API's description only: the model says which color is wrong.
Color = Annotated[str, Field(json_schema_extra={"pattern": f"^{COLOR.pattern}$"})]


class Colors(list[str]):
    """Colors as `#RRGGBB`. Its text has a space between them, which is also how people may write them."""

    def __str__(self) -> str:
        return " ".join(self)


def normal(color: Any) -> str:
    """`#abc` and `#aabbcc` as `#AABBCC`.

    Raises:
        ValidationError: it is neither of the two.
    """
    if not isinstance(color, str) or not COLOR.fullmatch(color):
        raise ValidationError(f"“{color}” is not a color; write #RGB or #RRGGBB.", code="color")
    digits = color[1:].upper()
    return "#" + ("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits)


def colors_of(value: Any) -> Colors:
    """The colors of a list, or of a text with spaces, commas or lines between; of None, no colors.

    Raises:
        ValidationError: one is no color (each is named, with its place), or there are more than MOST.
    """
    if isinstance(value, str):
        value = re.findall(r"[^\s,]+", value)
    if value is None:
        return Colors()
    if not isinstance(value, list | tuple):
        raise ValidationError("The colors must be a list.", code="list")
    if len(value) > MOST:
        raise ValidationError(f"These are {len(value)} colors; at most {MOST} are allowed.", code="many")
    return _all_normal(value)


def _all_normal(value: Iterable[Any]) -> Colors:
    found, wrong = Colors(), []
    for number, color in enumerate(value, 1):
        try:
            found.append(normal(color))
        except ValidationError as error:
            wrong.append(ValidationError(f"Color {number}: {error.messages[0]}", code="color"))
    if wrong:
        raise ValidationError(wrong)
    return found
