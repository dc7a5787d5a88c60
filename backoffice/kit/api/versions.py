"""The versions of the API, asked for by `Accept: application/vnd.backoffice+json; version=1` (RFC 9110, section 12).

    router = Router()

    @router.get("/things/", …)
    @available(since=2)
    def list_things(request): …

A router holds the operations of all versions, those that are not marked being in every one. For each version that
`settings.API_VERSIONS` names, `of_version` takes out what belongs to it; nothing is written twice. The URLconf of the
site gives `patterns(version)`; requests for the newest version go by the site's own `urlpatterns`.
"""

import copy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from ninja import Router

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.api.responses import JSON

HEADER = "API-Version"
ALL = range(1, sys.maxsize)  # versions
VENDOR = "application/vnd.backoffice+json"

View = TypeVar("View", bound=Callable[..., Any])


# --- which operation is in which version -----------------------------------------------------------------------------


def available(*, since: int = 1, until: int | None = None) -> Callable[[View], View]:
    """Put the operation of the decorated function into these versions only; goes under `@router.get(…)`.

    Args:
        since, until: the first and the last version that have it; None: there is no last one yet.
    """

    def decorate(view: View) -> View:
        view.versions = range(since, sys.maxsize if until is None else until + 1)  # type: ignore[attr-defined]
        return view

    return decorate


def of_version(router: Router, version: int) -> Router:
    """A router with those operations of `router` that `version` has; both share the operations themselves."""
    made = copy.copy(router)
    made.path_operations = {}
    for path, view in router.path_operations.items():
        kept = copy.copy(view)
        kept.operations = [one for one in view.operations if version in getattr(one.view_func, "versions", ALL)]
        made.path_operations[path] = kept
    made._routers = [(prefix, of_version(child, version), tags) for prefix, child, tags in router._routers]
    return made


# --- which version is asked for --------------------------------------------------------------------------------------


def newest() -> int:
    return max(settings.API_VERSIONS)


def vendor_type(version: int) -> str:
    return f"{VENDOR}; version={version}"


@dataclass(frozen=True)
class URLs:
    """The URLconf of a version; equal ones share a resolver, which Django keeps by them."""

    version: int

    @cached_property
    def urlpatterns(self) -> list[Any]:
        found: list[Any] = import_module(settings.ROOT_URLCONF).patterns(self.version)
        return found


def negotiate(request: HttpRequest) -> str | None:
    """Set `request.api_version`, and send the request to the URLconf of that version.

    Returns:
        The Content-Type to answer in; None: the caller accepts none of ours.
    """
    offers = _offers()
    try:
        preferred = request.get_preferred_type(list(offers))
    except ValueError:  # a parameter in a character set that does not exist (RFC 2231)
        preferred = None
    accepted, version = offers[preferred] if preferred else (None, newest())
    request.api_version = version  # type: ignore[attr-defined]
    if version != newest():
        request.urlconf = URLs(version)  # type: ignore[assignment]
    return accepted


def not_acceptable() -> ProblemError:
    types = ", ".join([JSON, *map(vendor_type, settings.API_VERSIONS)])
    return ProblemError(406, f"Accept one of these: {types}.")


def _offers() -> dict[str, tuple[str, int]]:
    """What can be accepted, the preferred first: `{media type: (Content-Type of the answer, version)}`."""
    # JSON is UTF-8 always (RFC 8259, section 8.1), and some clients say so.
    plain = (JSON, f"{JSON}; charset=utf-8", f"{JSON}; charset=UTF-8")
    versions = sorted(settings.API_VERSIONS, reverse=True)
    return dict.fromkeys(plain, (JSON, newest())) | {vendor_type(one): (vendor_type(one), one) for one in versions}
