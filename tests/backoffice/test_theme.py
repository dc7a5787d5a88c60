"""The colors of a node are legible in each hue."""

import math

import pytest

from backoffice.theme import COLORS, SHADES

WHITE = (100, 0, 0)
# The theme's greys, https://github.com/unfoldadmin/django-unfold, as (lightness, chroma, hue).
PALE, DARK, DARKEST = (96.7, 0.003, 264.5), (27.8, 0.033, 256.8), (21, 0.034, 264.7)
ENOUGH = 4.5  # WCAG 2.2, 1.4.3


def luminance(color):
    """The relative luminance of an OKLCH color, cut to sRGB: https://www.w3.org/TR/css-color-4/#color-conversion-code"""
    lightness, chroma, hue = color
    a, b = (chroma * turn(math.radians(hue)) for turn in (math.cos, math.sin))
    long, medium, short = (
        (lightness / 100 + x * a + y * b) ** 3
        for x, y in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return sum(share * min(1, max(0, part)) for share, part in ((0.2126, red), (0.7152, green), (0.0722, blue)))


def contrast(one, other):
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize(
    ("shade", "ground"), [("600", WHITE), ("600", PALE), ("500", DARK), ("500", DARKEST), ("400", DARK)]
)
def test_text_in_a_nodes_color_is_legible(color, shade, ground):
    assert contrast((*SHADES[shade], COLORS[color]), ground) >= ENOUGH
