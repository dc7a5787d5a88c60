"""The one NinjaAPI. It mounts what the domains of `settings.CONTENT_APPS` bring in their `api.py`."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.module_loading import module_has_submodule
from ninja import NinjaAPI, Redoc, Swagger
from ninja.openapi.schema import OpenAPISchema

from backoffice.kit import problems
from backoffice.kit.auth import BasicAuth, SessionAuth, TokenAuth
from backoffice.kit.responses import JSONParser

# The pages come whole from our own static files; ReDoc and Swagger would still ask their makers' hosts for a logo and a
# validator's badge.
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src blob:; frame-ancestors 'none'"
)


PROBLEM = {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}


class BackofficeAPI(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """As ninja's, which gives every answer one media type; errors have their own."""
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                if "requestBody" in operation:
                    operation["responses"][415] = {"description": "Unsupported Media Type", "content": PROBLEM}
                for status, answer in operation["responses"].items():
                    if status >= 400:
                        answer["content"] = PROBLEM
        return schema


def own_files_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> HttpResponse:
        response = view(*args, **kwargs)
        response["Content-Security-Policy"] = DOCS_POLICY
        return response

    return wrapped


def mount_domains(api: NinjaAPI) -> None:
    for config in apps.get_app_configs():
        if config.name in settings.CONTENT_APPS and module_has_submodule(config.module, "api"):
            router = import_module(f"{config.name}.api").router
            api.add_router(f"/{config.label}/", router, tags=[str(config.verbose_name)])


api = BackofficeAPI(
    title=settings.TITLE,
    version="1",
    description="The content of the back office as JSON. Errors are RFC 9457 problems.",
    urls_namespace="api",
    auth=[TokenAuth(), BasicAuth(), SessionAuth()],
    parser=JSONParser(),
    docs=Swagger({"validatorUrl": None}),
    docs_decorator=own_files_only,
)
problems.install(api)
api.add_router("/token/", "backoffice.accounts.api.router", auth=None)
api.add_router("/jobs/", "backoffice.kit.jobs.api.router", tags=["Jobs"])
mount_domains(api)


@own_files_only
def redoc(request: HttpRequest) -> HttpResponse:
    return Redoc().render_page(request, api)


urlpatterns = [path("redoc", redoc, name="redoc"), path("", api.urls)]
