"""Template filters of what surrounds every page."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from backoffice.heading import Heading, heading_of

register = template.Library()
FRAME = '<div id="main"'


@register.filter
def with_main(html: SafeString) -> SafeString:
    """Mark the theme's frame of header, content and buttons as the page's main part, which the skip link leads to.

    The theme has no block around it, and a copy of its layout would differ from the next release's.
    """
    return mark_safe(html.replace(FRAME, f'{FRAME} role="main" tabindex="-1"', 1))  # noqa: S308 - a template's output


@register.simple_tag(takes_context=True)
def heading(context: template.Context) -> Heading:
    return heading_of(context.flatten())
