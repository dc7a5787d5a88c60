"""Colors as pictures. They are SVG, because a content security policy may forbid inline styles."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SIDE, GAP = 18, 3  # pixels
IN_A_ROW = 12  # fits the width of a telephone


def swatches(colors: Sequence[str]) -> SafeString:
    """Return an SVG with a labelled square for each color, or a dash if there are no colors."""
    if not colors:
        return format_html("{}", "-")
    step, columns = SIDE + GAP, min(len(colors), IN_A_ROW)
    rows = -(-len(colors) // IN_A_ROW)
    squares = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" rx="4" fill="{}" stroke="#808080" stroke-opacity=".35">'
        "<title>{}</title></rect>",
        (
            (number % IN_A_ROW * step + 0.5, number // IN_A_ROW * step + 0.5, SIDE - 1, SIDE - 1, color, color)
            for number, color in enumerate(colors)
        ),
    )
    return format_html(
        '<svg role="img" aria-label="{}" width="{}" height="{}">{}</svg>',
        " ".join(colors), columns * step, rows * step, squares,
    )  # fmt: skip
