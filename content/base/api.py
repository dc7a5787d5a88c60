# ruff: noqa: A002 (the addresses call it `id`)
"""The JSON API of a domain in a few declarative lines:

    posts = Endpoint(Post, path="posts", fields=("user_id", "title", "body"))
    router = build_router(posts)

gives list, create, get, put, patch and delete with permissions, filters, validation, history, conditional requests and
documentation. The project mounts each domain's `api.router` under `/api/<app label>/`.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Query, Router
from pydantic import BaseModel, create_model

from backoffice.kit.api import conditional
from backoffice.kit.api.problems import FieldError, Invalid
from backoffice.kit.api.responses import empty_response, json_response
from backoffice.kit.api.versions import available
from content.base.documentation import (
    LOCATION,
    READ_ERRORS,
    WRITE_ERRORS,
    create_docs,
    docs,
    list_docs,
    object_path,
)
from content.base.endpoint import Endpoint, Values, Written
from content.base.listing import Listing, columns_of, fields_parameter, refuse_unknown

__all__ = ["Endpoint", "build_router"]


def build_router(*endpoints: Endpoint) -> Router:
    """The operations of `endpoints`, and of their lists under their parents."""
    router = Router()
    for endpoint in endpoints:
        for operation, add in OPERATIONS.items():
            if operation in endpoint.operations:
                add(router, endpoint)
        for name, parent in endpoint.parents.items():
            _add_nested(router, endpoint, name, parent)
    return router


# --- lists -----------------------------------------------------------------------------------------------------------


def _add_list(router: Router, endpoint: Endpoint) -> None:
    listing = Listing(endpoint)
    query = listing.query

    @router.get(endpoint.address, **list_docs(endpoint, endpoint.name, f"List {endpoint.path}"))
    @available(since=endpoint.since, until=endpoint.until)
    def list_objects(request: HttpRequest, query: Query[query]) -> HttpResponseBase:  # type: ignore[valid-type]
        endpoint.allow(request, "view")
        return listing.answer(request, query, {})


def _add_create(router: Router, endpoint: Endpoint) -> None:
    body = endpoint.body("Create", key=endpoint.key == "caller")

    @router.post(endpoint.address, **create_docs(endpoint, endpoint.name, f"Create {endpoint.one}"))
    @available(since=endpoint.since, until=endpoint.until)
    def create_object(request: HttpRequest, data: body) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "add")
        refuse_unknown(request)
        return written(request, endpoint, endpoint.create(request, given(data)))


def _add_nested(router: Router, endpoint: Endpoint, link: str, parent: Endpoint) -> None:
    path, key = object_path(parent, f"{endpoint.path}/")
    name, of = f"{parent.name}_{endpoint.path}", f"of {parent.one}"
    listing = Listing(endpoint, fixed=link)
    query = listing.query
    body = endpoint.body("NestedCreate", key=endpoint.key == "caller", optional=(link,))

    def require_parent(request: HttpRequest, id: Any) -> None:
        parent.get(request, id, parent.shown[:1])

    @router.get(path, **list_docs(endpoint, name, f"List the {endpoint.path} {of}", 404))
    @available(since=endpoint.since, until=endpoint.until)
    def list_nested(request: HttpRequest, id: key, query: Query[query]) -> HttpResponseBase:  # type: ignore[valid-type]
        endpoint.allow(request, "view")
        require_parent(request, id)
        return listing.answer(request, query, {link: id})

    @router.post(path, **create_docs(endpoint, name, f"Create {endpoint.one} {of}", 404))
    @available(since=endpoint.since, until=endpoint.until)
    def create_nested(request: HttpRequest, id: key, data: body) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "add")
        refuse_unknown(request)
        require_parent(request, id)
        return written(request, endpoint, endpoint.create(request, given(data, **{link: id}) | {link: id}))


# --- one object ------------------------------------------------------------------------------------------------------


def _add_get(router: Router, endpoint: Endpoint) -> None:
    path, key = object_path(endpoint)
    query = create_model(f"{endpoint.model.__name__}Get", fields=fields_parameter(endpoint))
    shape = endpoint.out | endpoint.part
    made = docs(endpoint, "get", f"Get {endpoint.one}", {200: shape, 304: None}, 422, *READ_ERRORS)

    @router.get(path, url_name=endpoint.name, **made)
    @available(since=endpoint.since, until=endpoint.until)
    def get_object(request: HttpRequest, id: key, query: Query[query]) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "view")
        refuse_unknown(request, query)
        fields = query.fields or ""  # type: ignore[attr-defined]
        row, version = endpoint.get(request, id, columns_of(endpoint, fields))
        tag = conditional.etag(request, version, fields=fields)
        if conditional.is_known(request, tag):
            return empty_response(304, ETag=tag)
        return json_response(row, headers={"ETag": tag})


def _add_replace(router: Router, endpoint: Endpoint) -> None:
    path, key = object_path(endpoint)
    own = endpoint.key_column.name
    body = endpoint.body("Replace", key=True, optional=(own,))
    success = {200: endpoint.out} | ({201: endpoint.out} if endpoint.key == "caller" else {})
    made = docs(endpoint, "replace", f"Replace {endpoint.one}", success, *WRITE_ERRORS)

    @router.put(path, **made, openapi_extra=LOCATION if 201 in success else None)
    @available(since=endpoint.since, until=endpoint.until)
    def replace_object(request: HttpRequest, id: key, data: body) -> HttpResponse:  # type: ignore[valid-type]
        refuse_unknown(request)
        return written(request, endpoint, endpoint.replace(request, id, given(data, **{own: id})))


def _add_change(router: Router, endpoint: Endpoint) -> None:
    path, key = object_path(endpoint)
    own = endpoint.key_column.name
    body = endpoint.body("Change", key=True, optional=endpoint.shown)
    summary = f"Change some fields of {endpoint.one}"

    @router.patch(path, **docs(endpoint, "change", summary, {200: endpoint.out}, *WRITE_ERRORS))
    @available(since=endpoint.since, until=endpoint.until)
    def change_object(request: HttpRequest, id: key, data: body) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "change")
        refuse_unknown(request)
        return written(request, endpoint, endpoint.change(request, id, given(data, **{own: id})))


def _add_delete(router: Router, endpoint: Endpoint) -> None:
    path, key = object_path(endpoint)

    @router.delete(path, **docs(endpoint, "delete", f"Delete {endpoint.one}", {204: None}, 404, 409, 412))
    @available(since=endpoint.since, until=endpoint.until)
    def delete_object(request: HttpRequest, id: key) -> HttpResponse:  # type: ignore[valid-type]
        endpoint.allow(request, "delete")
        refuse_unknown(request)
        endpoint.delete(request, id)
        return empty_response(204)


OPERATIONS = {
    "list": _add_list,
    "create": _add_create,
    "get": _add_get,
    "replace": _add_replace,
    "change": _add_change,
    "delete": _add_delete,
}


# --- bodies and answers ----------------------------------------------------------------------------------------------


def given(data: BaseModel, **fixed: Any) -> Values:
    """What the body names, without what the address has said already, which it may only repeat.

    Raises:
        Invalid: it says something else than the address.
    """
    values = {name: getattr(data, name) for name in data.model_fields_set}
    for name, value in fixed.items():
        if values.pop(name, value) != value:
            raise Invalid(FieldError(name, f"The address says {value}."))
    return values


def written(request: HttpRequest, endpoint: Endpoint, found: Written) -> HttpResponse:
    """The answer to a write; 201 with the address, if it made something new."""
    response = json_response(found.row, status=201 if found.is_new else 200)
    response["ETag"] = conditional.etag(request, found.version)
    if found.is_new:
        response["Location"] = endpoint.location(request, found.row[endpoint.key_column.name])
    return response
