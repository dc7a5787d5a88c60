"""The languages and time zones that a person can choose, and the choice in force while their pages are made."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language_from_request, override


def languages() -> list[tuple[str, str]]:
    """Return the choices of a language, each by its own name."""
    return [*settings.LANGUAGES]


@cache
def time_zones() -> list[tuple[str, str]]:
    """Return the choices of a time zone: the places of the IANA database, and UTC."""
    names = (name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [(name, name.replace("_", " ")) for name in ("UTC", *sorted(names))]


def chosen_language(request: HttpRequest) -> str:
    """Return the language of the person's pages: their own choice, else the first of the browser's that we have."""
    chosen = getattr(request.user, "language", "")
    return chosen if chosen in dict(languages()) else get_language_from_request(request)


def chosen_zone(user: Any) -> ZoneInfo | None:
    """Return the person's time zone; None for the node's."""
    name = getattr(user, "time_zone", "")
    return ZoneInfo(name) if name in dict(time_zones()) else None


@contextmanager
def in_force(request: HttpRequest) -> Iterator[str]:
    """Write texts and times as this person reads them; yield the language."""
    language, zone = chosen_language(request), chosen_zone(request.user)
    with override(language), timezone.override(zone or timezone.get_default_timezone()):
        yield language
