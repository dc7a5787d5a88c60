"""One model in the JSON API: its declaration, the shapes that follow from it, and its reads and writes.

The operations that call it are in `backoffice.kit.api.router`. The module has over 300 lines because a domain overrides
any part of a resource, so that all parts are in one class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from pydantic import BaseModel, create_model

from backoffice.kit.api import conditional
from backoffice.kit.api.pagination import Row
from backoffice.kit.api.problems import ProblemError
from backoffice.kit.api.schemas import Column, from_fields, has_default
from backoffice.kit.api.stored import Stored
from backoffice.kit.auth import require_action, require_write
from backoffice.kit.history import column_values
from backoffice.kit.permissions import Action, Person, Write, value_refusals

ALL = frozenset({"list", "create", "get", "replace", "change", "delete"})
NO_FILTER = (models.JSONField, models.TextField)

Values = dict[str, Any]  # by the field names of the API


@dataclass(frozen=True)
class Written:
    """The result of a write."""

    row: Row
    version: int  # the number of the row's newest history row
    is_new: bool


@dataclass(frozen=True)
class Resource:
    """One model as the API shows it. A domain may override the methods that read and write it.

    Attributes:
        model: the model; it has history, and a manager with `visible_to(user)`.
        path: the plural in its addresses and in the names of its operations, `posts`.
        fields: the columns shown beside the primary key; the editable ones are also written.
        parents: resources that it is also listed under, by the foreign key to them, `{"post": posts}`.
        filters: the filters of a list, `("status", "quantity__gte")`; None for all columns but long texts and JSON.
            A key given by the caller is always one, so that a sender can find out whether its create arrived.
        sort: the columns that a list can be sorted by, `("-created_at", "title")`, beside the key; the first is the
            default.
        search: the text columns that `?search=` searches.
        root: whether its list is at the domain's own address, `/api/orders/`, without `path`.
        key: whether the server or the caller gives the primary key of a new object. By the caller, PUT may create it.
        operations: a part of ALL; the others answer 405.
        types: the types of fields that their column does not define, `{"colors": list[str]}`.
        since, until: the first and the last version of the API that have it; until is None for the newest.

    Raises:
        ProblemError: by reads and writes; the object does not exist for the user, or the request may not change it.
    """

    model: type[Any]
    path: str
    fields: tuple[str, ...]
    parents: Mapping[str, "Resource"] = field(default_factory=dict)
    filters: tuple[str, ...] | None = None
    sort: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    root: bool = False
    key: Literal["server", "caller"] = "server"
    operations: frozenset[str] = ALL
    types: Mapping[str, Any] = field(default_factory=dict)
    since: int = 1
    until: int | None = None

    # --- names and addresses -----------------------------------------------------------------------------------------
    @cached_property
    def noun(self) -> str:
        return str(self.model._meta.verbose_name)

    @cached_property
    def a_noun(self) -> str:
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    @cached_property
    def name(self) -> str:
        """The URL name of one object, and the beginning of the operations' names: `news_posts`."""
        label: str = self.model._meta.app_label
        return label if self.root else f"{label}_{self.path}"

    @cached_property
    def list_path(self) -> str:
        """The path of its list, below the domain's address."""
        return "/" if self.root else f"/{self.path}/"

    @cached_property
    def detail_path(self) -> str:
        """The path of one object. An id that the converter does not match is a 404."""
        return f"{self.list_path}{{{'uuid' if self.key_type is UUID else 'int'}:id}}/"

    # --- columns and shapes ------------------------------------------------------------------------------------------
    @cached_property
    def key_column(self) -> Column:
        return cast(Column, self.model._meta.pk)

    @cached_property
    def key_type(self) -> type:
        return UUID if isinstance(self.key_column, models.UUIDField) else int

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return (self.key_column, *(self.model._meta.get_field(name) for name in self.fields))

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        return (self.key_column.name, *self.fields)

    @cached_property
    def writable(self) -> tuple[Column, ...]:
        """The columns that a write sets, beside the key."""
        return tuple(column for column in self.columns[1:] if column.editable)

    @cached_property
    def filter_names(self) -> tuple[str, ...]:
        own = (self.key_column.name,) if self.key == "caller" else ()
        if self.filters is not None:
            return (*own, *self.filters)
        return (*own, *(column.name for column in self.columns[1:] if not isinstance(column, NO_FILTER)))

    @cached_property
    def out(self) -> Any:
        """The schema of one object."""
        return from_fields(self.model.__name__, self.columns, base=BaseModel, types=self.types)

    @cached_property
    def part(self) -> Any:
        """The schema of an object limited by `fields=`."""
        name = f"{self.model.__name__}Part"
        return from_fields(name, self.columns, base=BaseModel, optional=self.column_names, types=self.types)

    @cached_property
    def rows(self) -> Any:
        """The schema of a list: a page, or all rows; with all columns, or with those of `fields=`."""
        rows = list[self.out] | list[self.part]  # type: ignore[name-defined]
        shape: dict[str, Any] = {"items": (rows, ...), "next": (str | None, ...), "count": (int | None, None)}
        return create_model(f"{self.model.__name__}Page", **shape) | rows

    def body(self, suffix: str, *, key: bool, optional: tuple[str, ...] = ()) -> Any:
        """Return the schema of a request's body: the writable columns, and with `key` the primary key."""
        columns = (self.key_column, *self.writable) if key else self.writable
        defaulted = tuple(column.name for column in columns if has_default(column))
        name = f"{self.model.__name__}{suffix}"
        return from_fields(name, columns, optional=(*optional, *defaulted), types=self.types)

    # --- reads -------------------------------------------------------------------------------------------------------
    def allow(self, request: HttpRequest, action: Action) -> None:
        """Require the permission for `action`; see `require_action`."""
        require_action(request, self.model, action)

    def visible(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the objects that exist for the user of `request`."""
        return cast("models.QuerySet[Any]", self.model.objects.visible_to(request.user))

    def find(self, request: HttpRequest, key: object) -> Any:
        """Return the object of `key`; 404 if it does not exist for the user."""
        obj = self.visible(request).filter(pk=key).first()
        if obj is None:
            raise self._missing(key)
        return obj

    def get(self, request: HttpRequest, key: object, columns: tuple[str, ...]) -> tuple[Row, int]:
        """Return the `columns` of the object of `key`, and its version; 404 if it does not exist for the user."""
        visible = self.visible(request)
        if visible.query.where:
            newest = models.Subquery(self._stored.newest(models.OuterRef("pk")))
            row = visible.filter(pk=key).values_list(*columns, newest).first()
        else:
            row = self._stored.get(key, columns)
        if row is None:
            raise self._missing(key)
        *values, version = row
        return dict(zip(columns, values, strict=True)), version or 0

    def version(self, key: object) -> int:
        """Return the number of the newest history row of `key`; 0 if it has none."""
        return self._stored.version(key)

    @cached_property
    def _stored(self) -> Stored:
        return Stored(self.model)

    def lock(self, request: HttpRequest, key: object) -> Any:
        """Return the object of `key`, locked until the transaction ends; 404, or 412 if its version is another one."""
        return self._checked(request, key, self._find_locked(request, key))

    def _checked(self, request: HttpRequest, key: object, obj: Any) -> Any:
        """Return `obj`, whose row is locked, None if there is none; 404 or 412 as `lock` does."""
        if obj is None:
            conditional.check(request, None)
            raise self._missing(key)
        if conditional.is_guarded(request):
            conditional.check(request, self.version(key))
        return obj

    def _find_locked(self, request: HttpRequest, key: object) -> Any:
        """Return the object of `key`, locked until the transaction ends; None if it does not exist for the user."""
        visible = self.visible(request)
        if visible.query.where:
            return visible.select_for_update(of=("self",)).filter(pk=key).first()
        return self._stored.locked(key)

    def _missing(self, key: object) -> ProblemError:
        return ProblemError(404, f"There is no {self.noun} {key}.")

    def row(self, obj: models.Model) -> Row:
        return {column.name: getattr(obj, column.attname) for column in self.columns}

    # --- writes: each is one transaction, so that an error later in the request undoes all of it ---------------------
    def create(self, request: HttpRequest, values: Values) -> Written:
        """Write a new object; 409 if its key is taken."""
        try:
            with transaction.atomic():
                return self.save(request, self.model(), values)
        except (IntegrityError, ValidationError, ProblemError):
            key = values.get(self.key_column.name)
            if key is None or not self._exists(key):
                raise
            reason = f"The {self.noun} {key} is there already; change it with PUT or PATCH."
            raise ProblemError(409, reason) from None

    def _exists(self, key: object) -> bool:
        """Return whether the row exists, visible or not."""
        return bool(self.model._base_manager.filter(pk=key).exists())

    def replace(self, request: HttpRequest, key: object, values: Values) -> Written:
        """Write a whole object: fields left out get their defaults, except those that the user may not set.

        An object that does not exist is created if the caller gives keys.

        Raises:
            ProblemError: 403, 404, 409 or 412.
        """
        with transaction.atomic():
            obj = self._find_locked(request, key) if Person(request.user).may(self.model, "change") else None
            if obj is None and self.key == "caller":
                try:
                    self.allow(request, "add")
                    conditional.check(request, None)
                    return self.create(request, values | {self.key_column.name: key})
                except ProblemError:
                    if not self._exists(key):  # otherwise the user can't see or change it, or it was created meanwhile
                        raise
            self.allow(request, "change")
            obj = self._checked(request, key, obj or self._find_locked(request, key))
            write = Write("change", self.model(), column_values(obj))
            kept = {refusal.field for refusal in value_refusals(write, Person(request.user))}
            defaults = {column.name: column.get_default() for column in self.writable if column.name not in kept}
            return self.save(request, obj, defaults | values)

    def change(self, request: HttpRequest, key: object, values: Values) -> Written:
        with transaction.atomic():
            return self.save(request, self.lock(request, key), values)

    def delete(self, request: HttpRequest, key: object) -> None:
        """Delete the object and its children, each model by its own permission, as in the admin.

        Raises:
            ProblemError: 404; 412; or 403, naming the permission.
        """
        with transaction.atomic():
            obj = self.lock(request, key)
            self.check_delete(request, obj)
            require_write(request, Write("delete", obj))
            obj.delete()

    def check_delete(self, request: HttpRequest, obj: Any) -> None:
        """Allow the deletion of `obj`; a domain may override this to refuse it.

        Raises:
            ProblemError: the deletion is refused; its detail is the reason.
        """

    def save(self, request: HttpRequest, obj: Any, values: Values) -> Written:
        """Write `values` to `obj`. Call it in a transaction that holds the row's lock.

        Raises:
            ProblemError: 403, naming the permission that a value needs.
            ValidationError: a rule is broken, or a link leads to an object that the user can't see.
        """
        adding, before = obj._state.adding, column_values(obj)
        for column in (self.key_column, *self.writable):
            if column.name in values:
                setattr(obj, column.attname, values[column.name])
        require_write(request, Write("add", obj) if adding else Write("change", obj, before))
        # Nobody else's key is asked for: an `INSERT` of one that is taken fails, and `create` says why.
        obj.full_clean(exclude={self.key_column.name})
        if adding or column_values(obj) != before:
            obj.save(force_insert=adding)
        return Written(self.row(obj), self.version(obj.pk), adding)

    def response(self, request: HttpRequest, written: Written) -> HttpResponse:
        """Return the answer to a write; 201 with the address if the object is new."""
        response = conditional.response(request, written.row, written.version)
        if written.is_new:
            response.status_code = 201
            response["Location"] = reverse(f"api:{self.name}", args=[written.row[self.key_column.name]])
        return response
