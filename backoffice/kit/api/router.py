# ruff: noqa: A002 (the addresses call it `id`)
"""The operations of resources: list, create, get, replace, change and delete.

Each has permissions, filters, validation, history, conditional requests and a description. The project mounts the
`router` of each domain's `api.py` under `/api/<app label>/`.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Query, Router
from ninja.params.functions import Path
from ninja.utils import contribute_operation_args
from pydantic import BaseModel, create_model

from backoffice.kit import read_replica
from backoffice.kit.api import conditional
from backoffice.kit.api.lists import Listing, columns_of, fields_parameter
from backoffice.kit.api.openapi import LOCATION
from backoffice.kit.api.problems import FieldError, InvalidError, ProblemOut
from backoffice.kit.api.resource import Resource, Values
from backoffice.kit.api.responses import empty_response
from backoffice.kit.api.versions import available

View = Callable[..., HttpResponseBase]


def build_router(*resources: Resource) -> Router:
    """Return a router with the operations of `resources`, and of their lists under their parents."""
    router = Router()
    for resource in resources:
        _add_collection(router, resource)
        for link, parent in resource.parents.items():
            _add_collection(router, resource, link, parent)
        _add_detail(router, resource)
    return router


def strict(view: View) -> View:
    """Make an operation refuse unknown parameters: a filter that is silently ignored does not filter.

    An operation takes its parameters as one argument, `query`.

    Raises:
        InvalidError: a parameter is unknown, or is given twice.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        known = type(kwargs["query"]).model_fields if "query" in kwargs else {}
        if unknown := sorted({*request.GET} - {*known}):
            names = ", ".join(sorted(known)) or "none"
            raise InvalidError(
                *(FieldError(name, f"There is no such parameter; there are {names}.") for name in unknown)
            )
        if twice := sorted(name for name in request.GET if len(request.GET.getlist(name)) > 1):
            raise InvalidError(*(FieldError(name, "This is given more than once.") for name in twice))
        return view(request, *args, **kwargs)

    return wrapped


def _add_collection(router: Router, resource: Resource, link: str = "", parent: Resource | None = None) -> None:
    """Add list and create: of all objects, or of those of the parent in the address, by the foreign key `link`."""
    path, name, the, of = resource.list_path, resource.name, "", ""
    if parent:
        path, name = f"{parent.detail_path}{resource.path}/", f"{parent.name}_{resource.path}"
        the, of = "the ", f" of {parent.a_noun}"
    listing = Listing(resource, fixed=link)
    query = listing.query
    body = resource.body("NestedCreate" if parent else "Create", key=resource.key == "caller", optional=(link,))

    def fixed(request: HttpRequest, id: object = None) -> Values:
        if parent:
            parent.find(request, id)
        return {link: id} if parent else {}

    def list_objects(request: HttpRequest, query: Query[query], **parent_id: Any) -> HttpResponseBase:  # type: ignore[valid-type]
        resource.allow(request, "view")
        return read_replica.answer(request, lambda: listing.response(request, query, fixed(request, **parent_id)))

    def create_object(request: HttpRequest, data: body, **parent_id: Any) -> HttpResponse:  # type: ignore[valid-type]
        resource.allow(request, "add")
        values = fixed(request, **parent_id)
        return resource.response(request, resource.create(request, given(data, **values) | values))

    if parent:
        for view in (list_objects, create_object):
            contribute_operation_args(view, "id", parent.key_type, Path(...))
    about = "Filters match exactly, but for those that say otherwise. `all=true` answers one array instead of a page."
    add = partial(_add, router, resource, path, name)
    add("list", "GET", list_objects, f"List {the}{resource.path}{of}", {200: resource.rows}, description=about)
    add("create", "POST", create_object, f"Create {resource.a_noun}{of}", {201: resource.out}, openapi_extra=LOCATION)


def _add_detail(router: Router, resource: Resource) -> None:
    """Add get, replace, change and delete of one object."""
    id_type, own = resource.key_type, resource.key_column.name
    query = create_model(f"{resource.model.__name__}Get", fields=fields_parameter(resource))
    whole = resource.body("Replace", key=True, optional=(own,))
    part = resource.body("Change", key=True, optional=resource.column_names)

    def get_object(request: HttpRequest, id: id_type, query: Query[query]) -> HttpResponse:  # type: ignore[valid-type]
        resource.allow(request, "view")
        fields = query.fields or ""  # type: ignore[attr-defined]
        columns = columns_of(resource, fields)
        row, version = read_replica.answer(request, lambda: resource.get(request, id, columns))
        return conditional.response(request, row, version, fields=fields)

    def replace_object(request: HttpRequest, id: id_type, data: whole) -> HttpResponse:  # type: ignore[valid-type]
        return resource.response(request, resource.replace(request, id, given(data, **{own: id})))

    def change_object(request: HttpRequest, id: id_type, data: part) -> HttpResponse:  # type: ignore[valid-type]
        resource.allow(request, "change")
        return resource.response(request, resource.change(request, id, given(data, **{own: id})))

    def delete_object(request: HttpRequest, id: id_type) -> HttpResponse:  # type: ignore[valid-type]
        resource.allow(request, "delete")
        resource.delete(request, id)
        return empty_response(204)

    out, noun = resource.out, resource.a_noun
    created, extra = ({201: out}, LOCATION) if resource.key == "caller" else ({}, None)
    conflicts = {409: ProblemOut, 412: ProblemOut}
    add = partial(_add, router, resource, resource.detail_path, resource.name)
    add("get", "GET", get_object, f"Get {noun}", {200: out | resource.part, 304: None}, url_name=resource.name)
    add("replace", "PUT", replace_object, f"Replace {noun}", {200: out} | created | conflicts, openapi_extra=extra)
    add("change", "PATCH", change_object, f"Change some fields of {noun}", {200: out} | conflicts)
    add("delete", "DELETE", delete_object, f"Delete {noun}", {204: None} | conflicts)


def _add(
    router: Router,
    resource: Resource,
    path: str,
    name: str,
    action: str,
    method: str,
    view: View,
    summary: str,
    response: dict[int, Any],
    **options: Any,
) -> None:
    """Add one operation to the router, if the resource has it."""
    if action not in resource.operations:
        return
    if method in ("POST", "PUT", "PATCH"):
        needed = getattr(resource.model, "field_permissions", {}).items()
        rules = (f"`{field}` needs the permission `{permission}`; leave it out." for field, permission in needed)
        options["description"] = " ".join(rules)
    view = available(since=resource.since, until=resource.until)(view)
    options |= {"operation_id": f"{name}_{action}", "summary": summary, "response": response}
    router.add_api_operation(path, [method], view, **options)


def given(data: BaseModel, **fixed: object) -> Values:
    """Return the values in the body, without those `fixed` by the address, which the body may only repeat.

    Raises:
        InvalidError: the body contradicts the address.
    """
    values = {name: getattr(data, name) for name in data.model_fields_set}
    for name, value in fixed.items():
        if values.pop(name, value) != value:
            raise InvalidError(FieldError(name, f"The address says {value}."))
    return values
