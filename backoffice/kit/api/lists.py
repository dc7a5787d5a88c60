"""Lists: a page of rows, or all of them; and the parameters of a resource's list: filters, sort, search, fields."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial, reduce
from operator import or_
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from pydantic import BaseModel, Field, create_model

from backoffice.kit.api.pagination import NEWEST_FIRST, Keyset, Row, Rows, page, pages, stream
from backoffice.kit.api.problems import FieldError, InvalidError
from backoffice.kit.api.resource import Resource
from backoffice.kit.api.responses import JSON, json_response
from backoffice.kit.api.schemas import ListQuery, PageQuery, Text, annotation
from backoffice.kit.statements import Slot, Statement

COMPARISONS = {"gt": "greater than", "gte": "at least", "lt": "less than", "lte": "at most"}
SEARCH_LENGTH = 256  # characters: SQLite nests at most 1000 conditions, one for each word
STATEMENTS = 128  # kept for each list, of a few kilobytes each: callers choose columns, order, filters and limit
PAGED = {"limit", "cursor", "count"}  # parameters of pages, refused with all=true


def list_response(
    query: PageQuery,
    rows: Rows,
    *,
    order: Sequence[str] = NEWEST_FIRST,
    convert: Callable[[list[Row]], list[Row]] = list,
) -> HttpResponseBase:
    """Answer with the page of `rows` that `query` names, or with all of them.

    Args:
        rows: a `.values(…)` queryset that holds the columns of `order` and the primary key.
        convert: converts a page's rows to those of the answer.

    Raises:
        InvalidError: `all` came with a parameter of pages, or the cursor is of another order.
    """
    if isinstance(query, ListQuery) and query.all:
        if stray := sorted(PAGED & query.model_fields_set):
            raise InvalidError(*(FieldError(name, "This does not go with all=true.") for name in stray))
        rows = rows.using(rows.db)  # the pages are read later, outside of `read_replica.answer`
        return StreamingHttpResponse(stream(map(convert, pages(rows, order=order))), content_type=JSON)
    items, following = page(rows, limit=query.limit, cursor=query.cursor, order=order)
    count = {"count": rows.count()} if isinstance(query, ListQuery) and query.count else {}
    return json_response({"items": convert(items), "next": following, **count})


class Listing:
    """The list of one resource.

    Args:
        fixed: the column whose value the address gives, such as a parent; empty if none.
    """

    def __init__(self, resource: Resource, *, fixed: str = "") -> None:
        self.resource = resource
        self.filters = tuple(name for name in resource.filter_names if name != fixed)
        sort = resource.sort or NEWEST_FIRST
        self.default_order = Keyset(resource.model, sort[:1]).order
        self.sortable = Keyset(resource.model, sort).columns
        self.query = self._query("NestedQuery" if fixed else "Query")
        self._statement = lru_cache(STATEMENTS)(self._make_statement)

    def response(self, request: HttpRequest, query: Any, fixed: Mapping[str, object]) -> HttpResponseBase:
        """Answer with the page that `query`, an instance of `self.query`, names.

        Raises:
            InvalidError: parameters exclude each other, or the cursor is of another order.
        """
        columns = columns_of(self.resource, query.fields)
        order = Keyset(self.resource.model, _names(query.sort)).order if query.sort else self.default_order
        wanted = {name: getattr(query, name) for name in self.filters if name in query.model_fields_set} | {**fixed}
        rows = self.resource.visible(request)
        words = (getattr(query, "search", None) or "").split()
        if not (rows.query.where or words or query.all or query.count or None in wanted.values()):
            with suppress(OverflowError):  # a forged cursor, with a number that the database can't hold
                items, following = self._page(query, columns, order, wanted)
                return json_response({"items": _only(columns, items), "next": following})
        rows = rows.filter(**wanted)
        for word in words:
            matches = (models.Q(**{f"{name}__icontains": word}) for name in self.resource.search)
            rows = rows.filter(reduce(or_, matches))
        rows = rows.values(*_needed(columns, order))
        return list_response(query, rows, order=order, convert=partial(_only, columns))

    def _page(
        self, query: Any, columns: tuple[str, ...], order: tuple[str, ...], wanted: Mapping[str, object]
    ) -> tuple[list[Row], str | None]:
        """Return a page as `page` does, of all rows that equal `wanted`, by a statement that is made once."""
        keyset, values = Keyset(self.resource.model, order), {**wanted}
        if query.cursor is not None:
            values |= zip(map(_after, keyset.columns), keyset.position(query.cursor), strict=True)
        statement = self._statement(columns, order, tuple(wanted), query.limit, has_cursor=query.cursor is not None)
        names = _needed(columns, order)
        return keyset.cut([dict(zip(names, row, strict=True)) for row in statement.run(values)], query.limit)

    def _make_statement(
        self, columns: tuple[str, ...], order: tuple[str, ...], wanted: tuple[str, ...], limit: int, *, has_cursor: bool
    ) -> Statement:
        options, keyset = self.resource.model._meta, Keyset(self.resource.model, order)
        slots = {name: Slot(name, options.get_field(name.partition("__")[0])) for name in wanted}
        rows = self.resource.model.objects.filter(**slots)
        if has_cursor:
            rows = keyset.after(rows, [Slot(_after(field.name), field) for field in keyset.fields])
        return Statement(rows.order_by(*order).values_list(*_needed(columns, order))[: limit + 1])

    def _query(self, suffix: str) -> type[BaseModel]:
        resource = self.resource
        fields: dict[str, Any] = {}
        for name in self.filters:
            field, _, comparison = name.partition("__")
            column: Any = resource.model._meta.get_field(field)
            text = f"`{field}` is {COMPARISONS[comparison]} this." if comparison else str(column.help_text) or None
            fields[name] = (annotation(column, compared=True), Field(None, description=text))
        fields["fields"] = fields_parameter(resource)
        text = "Columns to sort by, `-` before those that fall. Else: " + ",".join(self.default_order)
        fields["sort"] = _names_parameter(self.sortable, text, "-?")
        if resource.search:
            text = f"Words, each of which is in one of: {', '.join(resource.search)}."
            fields["search"] = (Text | None, Field(None, max_length=SEARCH_LENGTH, description=text))
        return create_model(f"{resource.model.__name__}{suffix}", __base__=ListQuery, **fields)


def fields_parameter(resource: Resource) -> Any:
    """Return the type and the description of `fields=`."""
    return _names_parameter(resource.column_names, "Only these columns.")


def columns_of(resource: Resource, fields: str | None) -> tuple[str, ...]:
    """Return the columns that `fields=` names; all if it was not given."""
    return _names(fields) if fields else resource.column_names


def _names_parameter(names: tuple[str, ...], description: str, before: str = "") -> Any:
    name = f"{before}({'|'.join(map(re.escape, names))})"
    text = f"{description} Of: {', '.join(names)}."
    return (str | None, Field(None, description=text, pattern=f"^{name}(,{name})*$"))


def _names(listed: str) -> tuple[str, ...]:
    """Split names at their commas; of a name that occurs twice the first counts."""
    names: dict[str, str] = {}
    for name in listed.split(","):
        names.setdefault(name.lstrip("-"), name)
    return tuple(names.values())


def _needed(columns: tuple[str, ...], order: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns to read: those of the answer, then those of the cursor."""
    return tuple(dict.fromkeys([*columns, *(name.lstrip("-") for name in order)]))


def _after(column: str) -> str:
    """Return the name of the slot that holds the cursor's value of `column`."""
    return f"after {column}"


def _only(columns: tuple[str, ...], rows: list[Row]) -> list[Row]:
    if not rows or len(rows[0]) == len(columns):
        return rows
    return [{name: row[name] for name in columns} for row in rows]
