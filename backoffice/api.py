"""The JSON API: one NinjaAPI for each version, built from the routers of the project and of `settings.CONTENT_APPS`.

A domain's `api.py` has a `router` with the operations of all versions; see `backoffice.kit.api.versions`.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import ninja
from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.module_loading import module_has_submodule
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Redoc, Router, Swagger
from ninja.openapi.schema import OpenAPISchema

from backoffice.accounts.api import router as tokens
from backoffice.accounts.auth import WAYS
from backoffice.accounts.people_api import router as people
from backoffice.kit import csp
from backoffice.kit.api import openapi, problems, throttle
from backoffice.kit.api.responses import JSONParser
from backoffice.kit.api.router import strict
from backoffice.kit.api.versions import of_version
from backoffice.kit.idempotency.decorators import idempotent
from backoffice.kit.jobs.api import router as jobs
from syncer import public

LOGO_OF_REDOC = re.compile(rb'"https://cdn\.redoc\.ly/[^"]*"')
DESCRIPTION = """\
The content of the back office as JSON. Errors are RFC 9457 problems.

Without more, the newest version answers; `Accept: application/vnd.backoffice+json; version=1` asks for one by its
number. `X-Request-ID` names a request in its answer, in the log and in history.
"""


class Mount(NamedTuple):
    """A router and its prefix under /api/; `options` are those of `NinjaAPI.add_router`."""

    prefix: str
    router: Router
    options: dict[str, Any]


class BackofficeAPI(NinjaAPI):
    """The API of one version, whose description is completed by `openapi.complete`."""

    def __init__(self, *, number: int, **options: Any) -> None:
        super().__init__(version=str(number), **options)
        self.number = number
        self._described: dict[str, OpenAPISchema] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the description of the API under `path_prefix`; cached, as it takes a quarter of a second of CPU."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if prefix not in self._described:
            document = super().get_openapi_schema(path_prefix=prefix)
            openapi.complete(document, self.number)
            self._described[prefix] = document
        return self._described[prefix]


def mounts() -> list[Mount]:
    """Return all routers of the API."""
    domains = [
        Mount(f"/{config.label}/", import_module(f"{config.name}.api").router, {"tags": [str(config.verbose_name)]})
        for config in apps.get_app_configs()
        if config.name in settings.CONTENT_APPS and module_has_submodule(config.module, "api")
    ]
    return [
        Mount("/token/", tokens, {"auth": None}),
        Mount("/accounts/", people, {}),
        Mount("/jobs/", jobs, {"tags": ["Jobs"]}),
        Mount("/sync/", public.operators_router(), {"tags": ["Sync"]}),
        *(Mount("/sync/", router, {"tags": ["Peers"]}) for router in public.routers()),
        *domains,
    ]


def build_api(version: int, mounted: Iterable[Mount]) -> BackofficeAPI:
    """Return an API with the operations of `mounted` that `version` has."""
    api = BackofficeAPI(
        number=version,
        title=settings.TITLE,
        description=DESCRIPTION,
        urls_namespace="api",
        auth=WAYS,
        throttle=throttle.DEFAULT,
        parser=JSONParser(),
        docs=Swagger({"validatorUrl": None}),
        docs_decorator=page,
    )
    problems.install(api)
    for decorator in (idempotent, strict):  # the last is the outermost
        api.add_decorator(decorator, mode="operation")
    for mount in mounted:
        api.add_router(mount.prefix, of_version(mount.router, version), **mount.options)
    return api


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view a read-only page that may load our own files only."""

    @wraps(view)
    def wrapped(*args: object, **kwargs: object) -> HttpResponse:
        response = view(*args, **kwargs)
        response[csp.HEADER] = csp.text(csp.API_DOCS)
        return response

    return require_safe(wrapped)


def patterns(api: NinjaAPI) -> list[URLPattern | URLResolver]:
    """Return the URL patterns under /api/."""

    @page
    def redoc(request: HttpRequest) -> HttpResponse:
        return Redoc().render_page(request, api)

    return [path("redoc", redoc, name="redoc"), path("redoc.js", redoc_script, name="redoc-script"), path("", api.urls)]


@require_safe
@cache_control(public=True, max_age=24 * 60 * 60)
def redoc_script(_request: HttpRequest) -> HttpResponse:
    """Return ReDoc's script without the address of the logo that it would fetch from its maker."""
    return HttpResponse(_redoc_without_logo(), content_type="text/javascript; charset=utf-8")


@cache
def _redoc_without_logo() -> bytes:
    file = Path(ninja.__file__).parent / "static" / "ninja" / "redoc.standalone.js"
    return LOGO_OF_REDOC.sub(b'"data:,"', file.read_bytes())
