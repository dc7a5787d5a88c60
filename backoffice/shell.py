"""Template filters of what surrounds every page."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
FRAME = '<div id="main"'


@register.filter
def with_main(html: SafeString) -> SafeString:
    """Mark the theme's frame of header, content and buttons as the page's main part, which the skip link leads to.

    The theme has no block around it, and a copy of its layout would differ from the next release's.
    """
    return mark_safe(html.replace(FRAME, f'{FRAME} role="main" tabindex="-1"', 1))  # noqa: S308 - a template's output


@register.filter
def with_name(html: SafeString, name: str) -> SafeString:
    """Add the page's own name to its heading, in which the theme has the path to the object or list only."""
    heading = format_html('<span class="shell-name">{}</span></h1>', name)
    return mark_safe(html.replace("</h1>", heading, 1))  # noqa: S308 - a template's output
