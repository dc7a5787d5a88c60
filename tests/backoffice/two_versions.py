"""A site whose API has two versions: of the lists there are two, of the rest one. Used as the URLconf of a test."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, reverse
from ninja import Router

from backoffice import api
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.versions import available

things, others = Router(tags=["Things"]), Router(tags=["Others"])


@things.get("/", operation_id="things_list", summary="List things", response=list[str])
@available(until=1)
def list_names(request: HttpRequest) -> HttpResponse:
    return json_response(["a thing"])


@things.get("/", operation_id="things_list", summary="List things", response=dict[str, list[str]])
@available(since=2)
def list_things(request: HttpRequest) -> HttpResponse:
    return json_response({"items": ["a thing"]})


@things.post("/", operation_id="things_create", summary="Create a thing", response={201: str})
def create_thing(request: HttpRequest) -> HttpResponse:
    return json_response("a thing", status=201, headers={"Location": reverse("api:thing", args=[1])})


@things.get("/{int:id}/", url_name="thing", operation_id="things_get", summary="Get a thing", response=str)
def get_thing(request: HttpRequest, id: int) -> HttpResponse:  # noqa: A002
    return json_response("a thing")


@others.get("/", operation_id="others_list", summary="List others", response=list[str])
@available(since=2)
def list_others(request: HttpRequest) -> HttpResponse:
    return json_response([])


@others.get("/file", operation_id="others_file", summary="Get the file", response={200: None})
def get_file(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"a,b\n", content_type="text/csv")


def patterns(version: int) -> list[Any]:
    mounts = [api.Mount("/things/", things, {"auth": None}), api.Mount("/others/", others, {"auth": None})]
    return [path("api/", include(api.patterns(api.build_api(version, mounts))))]


urlpatterns = patterns(2)
