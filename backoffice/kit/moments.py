"""Moments as pages show them: in the reader's time zone and in the one format, exactly for a script or a hover."""

from datetime import datetime, timedelta

from django.template import Library
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _

register = Library()
MINUTES, SECONDS = "Y-m-d H:i", "Y-m-d H:i:s"


def text(at: datetime, style: str = SECONDS) -> str:
    """Return `2026-11-30 14:05:09` in the reader's time zone."""
    return date_format(localtime(at), style)


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Return the moment as a `<time>` element, to the second: `{{ run.created_at|moment }}`; nothing for None."""
    return _element(at, SECONDS)


@register.filter
def minute(at: datetime | None) -> SafeString | str:
    """Return the moment as a `<time>` element, to the minute, where seconds say nothing."""
    return _element(at, MINUTES)


@register.filter
def ago(at: datetime) -> str:
    """Return how long ago it was: "5 minutes ago", and "just now" in the first minute."""
    if now() - at < timedelta(minutes=1):
        return _("just now")
    return _("%(age)s ago") % {"age": timesince(at)}


def _element(at: datetime | None, style: str) -> SafeString | str:
    if at is None or at == "":
        return ""
    here = localtime(at)
    exact = here.isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', exact, exact, date_format(here, style))
