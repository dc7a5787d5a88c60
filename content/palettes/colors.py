"""Lists of colors: the spellings that are accepted, and the stored form."""

import re
from typing import Annotated

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pydantic import Field

MOST = 64  # colors of one palette
COLOR = re.compile(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
STORED = re.compile(r"#[0-9A-F]{6}")
# Only describes the API; the model validates, and its message names the wrong color.
Color = Annotated[str, Field(json_schema_extra={"pattern": f"^{COLOR.pattern}$"})]


class Colors(list[str]):
    """Colors as `#RRGGBB`. `str()` separates them by spaces, which `colors_of` reads again."""

    def __str__(self) -> str:
        return " ".join(self)


def normal(color: object) -> str:
    """Return `#AABBCC` for `#abc` or `#aabbcc`.

    Raises:
        ValidationError: `color` has neither form.
    """
    if not isinstance(color, str) or not COLOR.fullmatch(color):
        raise ValidationError(_("“%(color)s” is not a color; write #RGB or #RRGGBB.") % {"color": color}, code="color")
    digits = color[1:].upper()
    return "#" + ("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits)


def is_normal(color: object) -> bool:
    """Return whether `color` has the stored form."""
    return isinstance(color, str) and STORED.fullmatch(color) is not None


def colors_of(value: object) -> Colors:
    """Return the colors in a list, or in a text that separates them by spaces, commas or line breaks; none for None.

    Raises:
        ValidationError: some are not colors (one message for each, with its position), there are more than MOST, or
            `value` is of another type.
    """
    if isinstance(value, str):
        value = re.findall(r"[^\s,]+", value)
    if value is None:
        return Colors()
    if not isinstance(value, list | tuple):
        raise ValidationError(_("The colors must be a list."), code="list")
    if len(value) > MOST:
        text = _("These are %(number)s colors; at most %(most)s are allowed.")
        raise ValidationError(text % {"number": len(value), "most": MOST}, code="many")
    colors, errors = Colors(), []
    for number, color in enumerate(value, 1):
        try:
            colors.append(normal(color))
        except ValidationError as error:
            text = _("Color %(number)s: %(problem)s") % {"number": number, "problem": error.messages[0]}
            errors.append(ValidationError(text, code="color"))
    if errors:
        raise ValidationError(errors)
    return colors
