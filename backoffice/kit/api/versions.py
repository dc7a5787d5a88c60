"""The versions of the API, asked for by `Accept: application/vnd.backoffice+json; version=1` (RFC 9110, section 12).

    router = Router()

    @router.get("/things/", …)
    @available(since=2)
    def list_things(request): …

A router holds the operations of all versions; those without a mark are in every one. For each version that
`settings.API_VERSIONS` names, `of_version` selects its operations; nothing is written twice. The site's URLconf
provides `patterns(version)`; requests for the newest version use the site's own `urlpatterns`.
"""

import copy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any, TypeVar, cast

from django.conf import settings
from django.http import HttpRequest
from ninja import Router

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.api.responses import JSON

HEADER = "API-Version"
ALL = range(1, sys.maxsize)  # versions
VENDOR = "application/vnd.backoffice+json"

View = TypeVar("View", bound=Callable[..., Any])


# --- the operations of a version -------------------------------------------------------------------------------------
def available(*, since: int = 1, until: int | None = None) -> Callable[[View], View]:
    """Put an operation into the versions from `since` to `until` (None: the newest); stands below `@router.get(…)`."""

    def decorate(view: View) -> View:
        view.versions = range(since, sys.maxsize if until is None else until + 1)  # type: ignore[attr-defined]
        return view

    return decorate


def of_version(router: Router, version: int) -> Router:
    """Return a router with those operations of `router` that `version` has; both share the operations themselves."""
    selected = copy.copy(router)
    selected.path_operations = {}
    for path, view in router.path_operations.items():
        kept = copy.copy(view)
        kept.operations = [
            operation for operation in view.operations if version in getattr(operation.view_func, "versions", ALL)
        ]
        selected.path_operations[path] = kept
    selected._routers = [(prefix, of_version(child, version), tags) for prefix, child, tags in router._routers]
    return selected


# --- the version of a request ----------------------------------------------------------------------------------------
def newest() -> int:
    """Return the number of the newest version."""
    return max(settings.API_VERSIONS)


def vendor_type(version: int) -> str:
    return f"{VENDOR}; version={version}"


class ApiRequest(HttpRequest):
    """A request under /api/, as the middleware passes it on."""

    api_version: int


@dataclass(frozen=True)
class URLs:
    """The URLconf of a version; equal ones share a resolver, which Django caches by its URLconf."""

    version: int

    @cached_property
    def urlpatterns(self) -> list[Any]:
        patterns: list[Any] = import_module(settings.ROOT_URLCONF).patterns(self.version)
        return patterns


def negotiate(request: HttpRequest) -> str | None:
    """Set `request.api_version`, and the URLconf of that version if it is not the newest.

    Return the Content-Type of the answer; None if the caller accepts none that we offer.
    """
    accepted, version = _choice(request.headers.get("Accept", "*/*"), tuple(settings.API_VERSIONS))
    cast(ApiRequest, request).api_version = version
    if version != newest():
        request.urlconf = URLs(version)  # type: ignore[assignment]
    return accepted


@lru_cache(maxsize=256)
def _choice(accept: str, versions: tuple[int, ...]) -> tuple[str | None, int]:
    """Return the Content-Type and the version for a header; cached, as callers repeat one that is slow to parse."""
    # JSON is always UTF-8 (RFC 8259, section 8.1), and some clients name it.
    plain = (JSON, f"{JSON}; charset=utf-8", f"{JSON}; charset=UTF-8")
    # The media types on offer, the preferred first, with the Content-Type of the answer and its version.
    offers = dict.fromkeys(plain, (JSON, max(versions)))
    for number in sorted(versions, reverse=True):
        offers[vendor_type(number)] = (vendor_type(number), number)
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = accept
    try:
        preferred = request.get_preferred_type(list(offers))
    except ValueError:  # a parameter in a character set that does not exist (RFC 2231)
        preferred = None
    return offers[preferred] if preferred else (None, max(versions))


def version_of(request: HttpRequest) -> int:
    """Return the version that answers `request`, after `negotiate`."""
    return cast(ApiRequest, request).api_version


def not_acceptable() -> ProblemError:
    types = ", ".join([JSON, *map(vendor_type, settings.API_VERSIONS)])
    return ProblemError(406, f"Accept one of these: {types}.")
