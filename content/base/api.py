# ruff: noqa: A002 (the addresses call it `id`)
"""The JSON API of a domain in a few declarative lines:

    posts = Endpoint(Post, path="posts", fields=("user_id", "title", "body"))
    router = build_router(posts)

gives list, create, get, put, patch and delete with permissions, filters, validation, history and documentation. The
project mounts each domain's `api.router` under `/api/<app label>/`.
"""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel

from backoffice.kit.pagination import page, stream
from backoffice.kit.problems import FieldError, Invalid, ProblemOut
from backoffice.kit.responses import json_response
from backoffice.kit.schemas import Body, ListQuery
from content.base.endpoint import Endpoint, given

__all__ = ["Endpoint", "build_router"]

# The type of a primary key: its path converter and its type in Python. What the converter does not match is a 404.
KEYS: dict[str, tuple[str, type]] = {"UUIDField": ("uuid", UUID)}
INTEGER_KEY = ("int", int)
LOCATION = {
    "responses": {201: {"headers": {"Location": {"description": "Its address.", "schema": {"type": "string"}}}}}
}


def build_router(*endpoints: Endpoint) -> Router:
    """The operations of `endpoints`, and of their lists under their parents."""
    router = Router()
    for endpoint in endpoints:
        _add_list(router, endpoint)
        _add_object(router, endpoint)
        for name, parent in endpoint.parents.items():
            _add_nested_list(router, endpoint, name, parent)
    return router


def _add_list(router: Router, endpoint: Endpoint) -> None:
    path, name = f"/{endpoint.path}/", endpoint.name
    query = endpoint.schema("Query", base=ListQuery, optional=endpoint.fields, key=False)
    body = endpoint.schema("Create", base=Body, optional=endpoint.defaulted, key=False)

    @router.get(path, **_list_docs(endpoint, f"{name}_list", f"List {endpoint.path}"))
    def list_objects(request: HttpRequest, query: Query[query]) -> HttpResponseBase:  # type: ignore[valid-type]
        endpoint.allow(request, "view")
        return _list(request, endpoint, query)

    @router.post(path, **_create_docs(endpoint, f"{name}_create", f"Create a {endpoint.noun}"))
    def create_object(request: HttpRequest, data: body) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "add")
        return _created(request, endpoint, endpoint.create(request, given(data)))


def _add_nested_list(router: Router, endpoint: Endpoint, link: str, parent: Endpoint) -> None:
    converter, key = _key(parent)
    path, name = f"/{parent.path}/{{{converter}:id}}/{endpoint.path}/", f"{parent.name}_{endpoint.path}"
    rest = tuple(column for column in endpoint.fields if column != link)
    query = endpoint.only(rest).schema("NestedQuery", base=ListQuery, optional=rest, key=False)
    body = endpoint.schema("NestedCreate", base=Body, optional=(link, *endpoint.defaulted), key=False)
    of = f"of a {parent.noun}"

    @router.get(path, **_list_docs(endpoint, f"{name}_list", f"List the {endpoint.path} {of}", 404))
    def list_nested(request: HttpRequest, id: key, query: Query[query]) -> HttpResponseBase:  # type: ignore[valid-type]
        endpoint.allow(request, "view")
        parent.get(request, id)
        return _list(request, endpoint, query, **{link: id})

    @router.post(path, **_create_docs(endpoint, f"{name}_create", f"Create a {endpoint.noun} {of}", 404))
    def create_nested(request: HttpRequest, id: key, data: body) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "add")
        parent.get(request, id)
        return _created(request, endpoint, endpoint.create(request, given(data, **{link: id}) | {link: id}))


def _add_object(router: Router, endpoint: Endpoint) -> None:
    converter, key = _key(endpoint)
    path, name, noun, own = f"/{endpoint.path}/{{{converter}:id}}/", endpoint.name, endpoint.noun, endpoint.key.name
    whole = endpoint.schema("Replace", base=Body, optional=(own, *endpoint.defaulted))
    part = endpoint.schema("Change", base=Body, optional=(own, *endpoint.fields))

    @router.get(path, url_name=name, **_docs(endpoint, f"{name}_get", f"Get a {noun}", 404))
    def get_object(request: HttpRequest, id: key) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "view")
        return json_response(endpoint.get(request, id))

    @router.put(path, **_docs(endpoint, f"{name}_replace", f"Replace a {noun}", 400, 404, 409, 422))
    def replace_object(request: HttpRequest, id: key, data: whole) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "change")
        return json_response(endpoint.replace(request, id, given(data, **{own: id})))

    @router.patch(path, **_docs(endpoint, f"{name}_change", f"Change some fields of a {noun}", 400, 404, 409, 422))
    def change_object(request: HttpRequest, id: key, data: part) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "change")
        return json_response(endpoint.change(request, id, given(data, **{own: id})))

    @router.delete(
        path, operation_id=f"{name}_delete", summary=f"Delete a {noun}", response=_answers(204, None, 404, 409)
    )
    def delete_object(request: HttpRequest, id: key) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "delete")
        endpoint.delete(request, id)
        return HttpResponse(status=204)


# --- answers ---------------------------------------------------------------------------------------------------------


def _list(request: HttpRequest, endpoint: Endpoint, query: Any, **fixed: Any) -> HttpResponseBase:
    _refuse_unknown(request, type(query))
    rows = endpoint.rows(
        request, {name: getattr(query, name) for name in query.model_fields_set - {*ListQuery.model_fields}} | fixed
    )
    if query.all:
        if stray := sorted({"limit", "cursor", "count"} & {*request.GET}):
            raise Invalid(*(FieldError(name, "This does not go with all=true.") for name in stray))
        return StreamingHttpResponse(stream(rows), content_type="application/json")
    items, following = page(rows, limit=query.limit, cursor=query.cursor)
    count = {"count": rows.count()} if query.count else {}
    return json_response({"items": items, "next": following, **count})


def _refuse_unknown(request: HttpRequest, query: type[BaseModel]) -> None:
    if unknown := sorted({*request.GET} - {*query.model_fields}):
        allowed = ", ".join(sorted(query.model_fields))
        raise Invalid(*(FieldError(name, f"There is no such parameter; there are {allowed}.") for name in unknown))


def _created(request: HttpRequest, endpoint: Endpoint, row: dict[str, Any]) -> HttpResponse:
    location = endpoint.location(request, row[endpoint.key.name])
    return json_response(row, status=201, headers={"Location": location})


# --- documentation ---------------------------------------------------------------------------------------------------


def _key(endpoint: Endpoint) -> tuple[str, type]:
    return KEYS.get(endpoint.key.get_internal_type(), INTEGER_KEY)


def _answers(success: int, shape: Any, *errors: int) -> dict[int, Any]:
    return {success: shape} | dict.fromkeys(sorted({401, 403, *errors}), ProblemOut)


def _docs(endpoint: Endpoint, operation_id: str, summary: str, *errors: int) -> dict[str, Any]:
    return {
        "operation_id": operation_id,
        "summary": summary,
        "description": _restrictions(endpoint) if 422 in errors else None,
        "response": _answers(200, endpoint.out, *errors),
    }


def _list_docs(endpoint: Endpoint, operation_id: str, summary: str, *errors: int) -> dict[str, Any]:
    shape = endpoint.page | list[endpoint.out]  # type: ignore[name-defined]
    text = "Newest first. Each field filters by exact match. `all=true` answers one array instead of a page."
    return _docs(endpoint, operation_id, summary) | {
        "description": text,
        "response": _answers(200, shape, 422, *errors),
    }


def _create_docs(endpoint: Endpoint, operation_id: str, summary: str, *errors: int) -> dict[str, Any]:
    answers = _answers(201, endpoint.out, 400, 409, 422, *errors)
    return _docs(endpoint, operation_id, summary, 422) | {"response": answers, "openapi_extra": LOCATION}


def _restrictions(endpoint: Endpoint) -> str:
    parts = (
        f"`{name}` needs the permission `{needed}`; leave it out."
        for name, needed in endpoint.model.field_permissions.items()
    )
    return " ".join(parts)
