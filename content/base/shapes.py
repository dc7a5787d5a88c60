"""What an endpoint is declared by, and the names and shapes that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from django.db import models
from pydantic import BaseModel, create_model

from backoffice.kit.api.schemas import from_fields, has_default
from content.base.models import ContentModel

ALL = frozenset({"list", "create", "get", "replace", "change", "delete"})
NO_FILTER = (models.JSONField, models.TextField)


@dataclass(frozen=True)
class Shapes:
    """One model as the API shows it.

    Attributes:
        model: the model itself.
        path: the plural by which its addresses and operations are named, `posts`.
        fields: what is shown beside the primary key, and written, but for columns that are not editable.
        parents: lists that hang under another endpoint, by the foreign key that leads there, `{"post": posts}`.
        filters: by what a list can be filtered, `("status", "quantity__gte")`; None: all but long texts and JSON.
            A key that the caller gives is one always, so that a sender can find out whether its create arrived.
        order: by what a list can be ordered, `("-created_at", "title")`, beside the key; the first is the default.
        search: the texts that `?search=` looks into.
        root: its list is at the domain's own address, `/api/orders/`, without `path`.
        key: who gives the primary key of a new object. By the caller: PUT creates what is not there.
        operations: of ALL; the others answer 405.
        types: of fields whose column says too little, `{"colors": list[str]}`.
        since, until: the first and the last version of the API that have it; None: there is no last one yet.
    """

    model: type[ContentModel]
    path: str
    fields: tuple[str, ...]
    parents: Mapping[str, Any] = field(default_factory=dict)  # endpoints
    filters: tuple[str, ...] | None = None
    order: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    root: bool = False
    key: Literal["server", "caller"] = "server"
    operations: frozenset[str] = ALL
    types: Mapping[str, Any] = field(default_factory=dict)
    since: int = 1
    until: int | None = None

    @cached_property
    def key_column(self) -> "models.Field[Any, Any]":
        return self.model._meta.pk

    @cached_property
    def columns(self) -> "tuple[models.Field[Any, Any], ...]":
        return tuple(self.model._meta.get_field(name) for name in self.fields)  # type: ignore[misc]

    @cached_property
    def shown(self) -> tuple[str, ...]:
        return (self.key_column.name, *self.fields)

    @cached_property
    def written(self) -> "tuple[models.Field[Any, Any], ...]":
        return tuple(column for column in self.columns if column.editable)

    @cached_property
    def filter_names(self) -> tuple[str, ...]:
        own = (self.key_column.name,) if self.key == "caller" else ()
        if self.filters is not None:
            return (*own, *self.filters)
        return (*own, *(column.name for column in self.columns if not isinstance(column, NO_FILTER)))

    @cached_property
    def noun(self) -> str:
        return str(self.model._meta.verbose_name)

    @cached_property
    def one(self) -> str:
        """The noun with its article."""
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    @cached_property
    def name(self) -> str:
        """The name of the address of one object, `news_posts`."""
        label = self.model._meta.app_label
        return label if self.root else f"{label}_{self.path}"

    @cached_property
    def address(self) -> str:
        """Where its list is, under the domain's address."""
        return "/" if self.root else f"/{self.path}/"

    @cached_property
    def out(self) -> Any:
        return self._schema("", (self.key_column, *self.columns))

    @cached_property
    def part(self) -> Any:
        """What `fields=` leaves."""
        return self._schema("Part", (self.key_column, *self.columns), optional=self.shown)

    @cached_property
    def page(self) -> Any:
        rows = list[self.out] | list[self.part]  # type: ignore[name-defined]
        shape = {"items": (rows, ...), "next": (str | None, ...), "count": (int | None, None)}
        return create_model(f"{self.model.__name__}Page", **shape)  # type: ignore[call-overload]

    def body(self, suffix: str, *, key: bool, optional: tuple[str, ...] = ()) -> Any:
        """The shape of a request: what may be written, with the key where `key` says so."""
        columns = (self.key_column, *self.written) if key else self.written
        defaulted = tuple(column.name for column in columns if has_default(column))
        return from_fields(
            f"{self.model.__name__}{suffix}", columns, optional=(*optional, *defaulted), types=self.types
        )

    def _schema(self, suffix: str, columns: Any, *, optional: tuple[str, ...] = ()) -> Any:
        name = f"{self.model.__name__}{suffix}"
        return from_fields(name, columns, base=BaseModel, optional=optional, types=self.types)
