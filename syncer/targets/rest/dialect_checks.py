"""Validation of what a route says of a REST service's paths, ids, answers and pages, for `Route.clean`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from syncer.models import Route
from syncer.models.mapping import NOT_STORABLE, is_storable, listed, wrong
from syncer.models.request_defaults import TOKEN

PARAMETERS = (Route.Paging.CURSOR, Route.Paging.PAGE, Route.Paging.OFFSET)  # that name a page by a parameter

Errors = Iterator[tuple[str, ValidationError]]  # with their columns


def errors(route: Route) -> Errors:
    """Yield every error with its column."""
    fields = route.fields if isinstance(route.fields, dict) else {}
    yield from _id_errors(route, fields)
    yield from _answer_errors(route)
    yield from _paging_errors(route)
    yield from _query_errors(route)
    if route.existing == Route.Existing.OVERWRITE and not route.can_look_up:
        why = _("Without a lookup no record can be found that is there already; give 'lookup', or leave it out")
        yield "existing", wrong(why)


def _id_errors(route: Route, fields: Mapping[str, str]) -> Errors:
    """Yield the errors of the columns that say where a single record is and which id it has."""
    path, own_id, remote_id = route.item_path, route.own_id, route.id_field
    if path and (path.count("{id}") != 1 or re.search("[{}]", path.replace("{id}", ""))):
        yield "item_path", wrong(_("The path of a record has {id} in it once, and no other braces: /posts/{id}.json"))
    if own_id and own_id not in (ids := _unique_fields(route)):
        why = _("'%(name)s' can't be the id of a record, which is unique and never null; choose one of: %(choices)s")
        yield "own_id", wrong(why, name=own_id, choices=listed(ids))
    if own_id and route.create_path:
        why = _("A record with an id of ours is created at its own path; leave 'create_path' or 'own_id' out")
        yield "create_path", wrong(why)
    constants = route.constants if isinstance(route.constants, dict) else {}
    is_sent_anyway = bool(own_id) and fields.get(remote_id) == own_id
    for name in {**fields, **constants} if route.send_id else {}:
        nests = name.startswith(f"{remote_id}.") or remote_id.startswith(f"{name}.")
        if nests or (name == remote_id and not is_sent_anyway):
            why = _(
                "The id is sent as '%(id)s', which '%(name)s' of the fields or constants is too; leave one of them out"
            )
            yield "send_id", wrong(why, id=remote_id, name=name)


def _unique_fields(route: Route) -> list[str]:
    """Return the key and the other fields that may travel whose value no two objects share."""
    meta = route.declaration.model._meta
    alone = {tuple(constraint.fields) for constraint in meta.total_unique_constraints}
    fields: list[Any] = [meta.pk, *(meta.get_field(name) for name in route.declaration.fields if name != meta.pk.name)]
    return [
        field.name
        for field in fields
        if (field.unique or (field.name,) in alone) and not field.null and not field.is_relation
    ]


def _answer_errors(route: Route) -> Errors:
    """Yield the errors of the columns that say where the parts of requests and answers are."""
    for column in ("wrap", "record", "ok", "error", "id_field", "items_field", "next_field", "total"):
        place = getattr(route, column)
        if place and not all(part and part == part.strip() for part in place.split(".")):
            yield column, wrong(_("'%(place)s' has an empty part; write nested places as meta.total"), place=place)
    for column in ("next_field", "total"):
        if (place := getattr(route, column)) and not route.items_field:
            why = _("An answer that has '%(place)s' has its records under a name too: give 'items'")
            yield column, wrong(why, place=place)


def _paging_errors(route: Route) -> Errors:
    """Yield the errors of the columns that say how a list leads from page to page."""
    paging, name = Route.Paging, route.page_name
    if route.paging == paging.CURSOR and not route.next_field:
        yield "next_field", wrong(_("Paging by cursor needs the place of the cursor in the answer: meta.next"))
    if route.paging in (paging.HEADER, paging.PAGE, paging.OFFSET) and route.next_field:
        why = _("Paging by '%(paging)s' does not use it; leave it out, or set paging to 'link' or 'cursor'")
        yield "next_field", wrong(why, paging=route.paging)
    if route.paging == paging.LINK and name:
        why = _(
            "Paging by 'link' does not use it; leave it out, or set paging to 'header', 'cursor', 'page' or 'offset'"
        )
        yield "page_name", wrong(why)
    if route.paging == paging.HEADER and name and not TOKEN.fullmatch(name):
        yield "page_name", wrong(_("'%(name)s' is not the name of a header; one is Next-Page"), name=name)
    if route.paging != paging.PAGE and route.first_page != 1:
        yield "first_page", wrong(_("Only paging by 'page' counts pages; leave it out, or set paging to 'page'"))


def _query_errors(route: Route) -> Errors:
    """Yield the errors of the parameters of list requests: several values for one, and those that the engine sets."""
    if not is_storable(route.query):
        yield "query", wrong(str(NOT_STORABLE))
    elif not isinstance(route.query, dict):
        yield "query", wrong(_('Give parameters and their values: {"per_page": "100"}'))
    else:
        lookup = route.lookup if isinstance(route.lookup, list) else []
        taken = {route.page_name or route.paging: _("the page")} if route.paging in PARAMETERS else {}
        taken |= {name: _("the lookup") for name in lookup if isinstance(name, str)}
        for name, value in route.query.items():
            if not isinstance(value, str | int | float):
                yield "query", wrong(_("Give a text, a number, true or false"), at=name)
            if name in taken:
                why = _("'%(name)s' is what the engine sends for %(what)s; leave it out")
                yield "query", wrong(why, at=name, name=name, what=taken[name])
