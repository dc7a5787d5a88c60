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
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from ninja import Router

from backoffice.kit.api.paths import is_api
from backoffice.kit.api.problems import Problem
from backoffice.kit.api.responses import JSON

HEADER = "API-Version"
VENDOR = "application/vnd.backoffice+json"
CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")

View = TypeVar("View", bound=Callable[..., Any])


# --- which operation is in which version -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Availability:
    """`since`, `until`: the first and the last version that have an operation; None: there is no last one yet."""

    since: int = 1
    until: int | None = None

    def __contains__(self, version: int) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)


def available(*, since: int = 1, until: int | None = None) -> Callable[[View], View]:
    """Put the operation of the decorated function into these versions only; goes under `@router.get(…)`."""

    def decorate(view: View) -> View:
        view.availability = Availability(since=since, until=until)  # type: ignore[attr-defined]
        return view

    return decorate


def of_version(router: Router, version: int) -> Router:
    """A router with those operations of `router` that `version` has; both share the operations themselves."""
    made = copy.copy(router)
    made.path_operations = {}
    for path, view in router.path_operations.items():
        kept = copy.copy(view)
        kept.operations = [one for one in view.operations if version in _availability(one.view_func)]
        made.path_operations[path] = kept
    made._routers = [(prefix, of_version(child, version), tags) for prefix, child, tags in router._routers]
    return made


def _availability(view: Callable[..., Any]) -> Availability:
    found: Availability = getattr(view, "availability", Availability())
    return found


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


class VersionMiddleware:
    """Sets `request.api_version`, sends the request to that version, and says in the answer which one it was.

    A write whose answer could not be accepted is refused before it is done. A read is refused by what it answers, so
    pages and files, which are no JSON, need no rule of their own; nor do errors, which are problems for everyone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_api(request):
            return self.get_response(request)
        accepted, version = _negotiate(request)
        request.api_version = version  # type: ignore[attr-defined]
        request.api_accepted = accepted is not None  # type: ignore[attr-defined]
        if version != newest():
            request.urlconf = URLs(version)  # type: ignore[assignment]
        response = self.get_response(request)
        if _is_json(response):
            if accepted is None:
                response.close()
                response = _not_acceptable(response)
            elif accepted != JSON:
                response["Content-Type"] = accepted
        response[HEADER] = str(version)
        patch_vary_headers(response, ["Accept"])
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        if getattr(request, "api_accepted", True) or request.method in CHANGES_NOTHING:
            return None
        return _not_acceptable()


def _offers() -> dict[str, tuple[str, int]]:
    """What can be accepted, the preferred first: `{media type: (Content-Type of the answer, version)}`."""
    # JSON is UTF-8 always (RFC 8259, section 8.1), and some clients say so.
    plain = (JSON, f"{JSON}; charset=utf-8", f"{JSON}; charset=UTF-8")
    versions = sorted(settings.API_VERSIONS, reverse=True)
    return dict.fromkeys(plain, (JSON, newest())) | {vendor_type(one): (vendor_type(one), one) for one in versions}


def _negotiate(request: HttpRequest) -> tuple[str | None, int]:
    """The Content-Type to answer in (None: none of ours is accepted), and the version."""
    offers = _offers()
    try:
        preferred = request.get_preferred_type(list(offers))
    except ValueError:  # a parameter in a character set that there is not (RFC 2231)
        preferred = None
    return offers[preferred] if preferred else (None, newest())


def _is_json(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").partition(";")[0] == JSON


def _not_acceptable(refused: HttpResponseBase | None = None) -> HttpResponse:
    """The answer in place of `refused`, with what that told of the limits."""
    types = ", ".join([JSON, *(vendor_type(version) for version in settings.API_VERSIONS)])
    limits = {name: value for name, value in (refused.items() if refused else ()) if name.startswith("RateLimit")}
    return Problem(406, f"Accept one of these: {types}.", headers=limits).response()
