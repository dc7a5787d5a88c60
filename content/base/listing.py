"""What a list at the API can be asked: filters, order, search, columns, pages. `Endpoint` declares them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from pydantic import BaseModel, Field, create_model

from backoffice.kit.api.pagination import Keyset, Row, Rows, page, pages, stream
from backoffice.kit.api.problems import FieldError, Invalid
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import ListQuery, Text, annotation
from content.base.endpoint import Endpoint

COMPARISONS = {"gt": "greater than", "gte": "at least", "lt": "less than", "lte": "at most"}
SEARCH_MOST = 256  # characters: SQLite nests at most 1000 conditions, one of each word
PAGED = ("limit", "cursor", "count")  # parameters of pages, which a whole list has none of


class Listing:
    """The list of one endpoint.

    Args:
        fixed: the column that the address has decided already, such as a parent.
    """

    def __init__(self, endpoint: Endpoint, *, fixed: str = "") -> None:
        self.endpoint = endpoint
        self.filters = tuple(name for name in endpoint.filter_names if name != fixed)
        order = endpoint.order or ("-pk",)
        self.default_order = Keyset(endpoint.model, order[:1]).order
        self.orders = Keyset(endpoint.model, order).columns
        self.query = self._schema("NestedQuery" if fixed else "Query")

    def answer(self, request: HttpRequest, query: Any, fixed: Mapping[str, Any]) -> HttpResponseBase:
        """The page that `query`, which is of `self.query`, asks for.

        Raises:
            Invalid: a parameter is not known, or does not go with another one.
        """
        refuse_unknown(request, query)
        columns = _names(query.fields) if query.fields else self.endpoint.shown
        order = Keyset(self.endpoint.model, _names(query.order)).order if query.order else self.default_order
        needed = dict.fromkeys([*columns, *(name.lstrip("-") for name in order)])
        rows = self._matching(request, query, fixed).values(*needed)
        return list_answer(request, query, rows, order=order, shown=partial(_only, columns))

    def _matching(self, request: HttpRequest, query: Any, fixed: Mapping[str, Any]) -> models.QuerySet[Any]:
        wanted = {name: getattr(query, name) for name in self.filters if name in query.model_fields_set}
        rows = self.endpoint.visible(request).filter(**wanted, **fixed)
        for word in (getattr(query, "search", None) or "").split():
            found = models.Q()
            for name in self.endpoint.search:
                found |= models.Q(**{f"{name}__icontains": word})
            rows = rows.filter(found)
        return rows

    # --- the shape of the query --------------------------------------------------------------------------------------

    def _schema(self, suffix: str) -> type[BaseModel]:
        made = dict(self._filters())
        made["fields"] = fields_parameter(self.endpoint)
        made["order"] = _list_parameter(
            self.orders, "Columns to order by, `-` before those that fall. Else: " + ",".join(self.default_order), "-?"
        )
        if self.endpoint.search:
            columns = ", ".join(self.endpoint.search)
            text = f"Words, each of which is in one of: {columns}."
            made["search"] = (Text | None, Field(None, max_length=SEARCH_MOST, description=text))
        return create_model(f"{self.endpoint.model.__name__}{suffix}", __base__=ListQuery, **made)

    def _filters(self) -> Iterator[tuple[str, Any]]:
        for name in self.filters:
            field, _, comparison = name.partition("__")
            column: Any = self.endpoint.model._meta.get_field(field)
            text = f"`{field}` is {COMPARISONS[comparison]} this." if comparison else str(column.help_text) or None
            yield name, (annotation(column, compared=True), Field(None, description=text))


def list_answer(
    request: HttpRequest, query: ListQuery, rows: Rows, *, order: Sequence[str], shown: Callable[[list[Row]], list[Row]]
) -> HttpResponseBase:
    """The page of `rows` that `query` asks for, or all of them.

    Args:
        rows: a `.values(…)` queryset that holds the columns of `order`.
        shown: what is shown of a page's rows.

    Raises:
        Invalid: `all` came with a parameter of pages, or the cursor is not of this order.
    """
    if query.all:
        if stray := sorted({*PAGED} & {*request.GET}):
            raise Invalid(*(FieldError(name, "This does not go with all=true.") for name in stray))
        return StreamingHttpResponse(stream(map(shown, pages(rows, order=order))), content_type="application/json")
    items, following = page(rows, limit=query.limit, cursor=query.cursor, order=order)
    count = {"count": rows.count()} if query.count else {}
    return json_response({"items": shown(items), "next": following, **count})


def refuse_unknown(request: HttpRequest, query: BaseModel | None = None) -> None:
    """Refuse parameters that `query` does not have: one that is silently left out is a filter that does not filter.

    Args:
        query: the parameters that the operation has; None: it has none.

    Raises:
        Invalid: it has not, or one is given twice.
    """
    known = type(query).model_fields if query else {}
    if unknown := sorted({*request.GET} - {*known}):
        allowed = ", ".join(sorted(known)) or "none"
        raise Invalid(*(FieldError(name, f"There is no such parameter; there are {allowed}.") for name in unknown))
    if twice := sorted(name for name in request.GET if len(request.GET.getlist(name)) > 1):
        raise Invalid(*(FieldError(name, "This is given more than once.") for name in twice))


def fields_parameter(endpoint: Endpoint) -> Any:
    return _list_parameter(endpoint.shown, "Only these columns.")


def columns_of(endpoint: Endpoint, fields: str) -> tuple[str, ...]:
    """The columns that `fields=` names; all of them, if it was not given."""
    return _names(fields) if fields else endpoint.shown


def _list_parameter(names: tuple[str, ...], description: str, before: str = "") -> Any:
    one = f"{before}({'|'.join(map(re.escape, names))})"
    return (str | None, Field(None, description=f"{description} Of: {', '.join(names)}.", pattern=f"^{one}(,{one})*$"))


def _names(listed: str) -> tuple[str, ...]:
    """Names with commas between; one that is named twice counts where it stands first."""
    found: dict[str, str] = {}
    for name in listed.split(","):
        found.setdefault(name.lstrip("-"), name)
    return tuple(found.values())


def _only(columns: tuple[str, ...], rows: list[Row]) -> list[Row]:
    if not rows or len(rows[0]) == len(columns):
        return rows
    return [{name: row[name] for name in columns} for row in rows]
