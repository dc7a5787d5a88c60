"""One model at the JSON API: what it shows, who may do what, and how it is read and written. See `content.base.api`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db import models, transaction
from django.db.models.deletion import Collector
from django.http import HttpRequest
from django.urls import reverse
from pydantic import BaseModel, create_model

from backoffice.kit.auth import require
from backoffice.kit.pagination import Row, Rows
from backoffice.kit.problems import FieldError, Invalid, Problem
from backoffice.kit.schemas import ListQuery, from_fields, has_default
from content.base import rules
from content.base.models import ContentModel, tracked

Values = dict[str, Any]  # by the field names of the API


@dataclass(frozen=True)
class Endpoint:
    """One model as the API shows it.

    Attributes:
        model: the model itself.
        path: the plural by which its addresses and operations are named, `posts`.
        fields: what is shown and written, and by what a list can be filtered, beside the primary key.
        parents: lists that hang under another endpoint, by the foreign key that leads there, `{"post": posts}`.
    """

    model: type[ContentModel]
    path: str
    fields: tuple[str, ...]
    parents: Mapping[str, "Endpoint"] = field(default_factory=dict)

    # --- names and shapes --------------------------------------------------------------------------------------------

    @cached_property
    def key(self) -> "models.Field[Any, Any]":
        return self.model._meta.pk

    @cached_property
    def columns(self) -> "tuple[models.Field[Any, Any], ...]":
        found = tuple(self.model._meta.get_field(name) for name in self.fields)
        if clash := {*self.fields} & {*ListQuery.model_fields}:
            raise ValueError(
                f"{self.model._meta.label}: lists have a parameter named {', '.join(sorted(clash))} already."
            )
        return found  # type: ignore[return-value]

    @cached_property
    def noun(self) -> str:
        return str(self.model._meta.verbose_name)

    @cached_property
    def name(self) -> str:
        """The name of the address of one object, `news_posts`."""
        return f"{self.model._meta.app_label}_{self.path}"

    def schema(self, suffix: str, *, base: type[BaseModel], optional: tuple[str, ...] = (), key: bool = True) -> Any:
        columns = (self.key, *self.columns) if key else self.columns
        return from_fields(f"{self.model.__name__}{suffix}", columns, base=base, optional=optional)

    def only(self, fields: tuple[str, ...]) -> "Endpoint":
        return replace(self, fields=fields)

    @cached_property
    def out(self) -> Any:
        return self.schema("", base=BaseModel)

    @cached_property
    def page(self) -> Any:
        shape = {"items": (list[self.out], ...), "next": (str | None, ...), "count": (int | None, None)}  # type: ignore[name-defined]
        return create_model(f"{self.model.__name__}Page", **shape)  # type: ignore[call-overload]

    @cached_property
    def defaulted(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if has_default(column))

    # --- permissions -------------------------------------------------------------------------------------------------

    def permission(self, action: str) -> str:
        return f"{self.model._meta.app_label}.{action}_{self.model._meta.model_name}"

    def allow(self, request: HttpRequest, action: str) -> None:
        """As the admin: who may change may also view.

        Raises:
            Problem: 403, naming the permission.
        """
        require(request, self.permission(action), *([self.permission("change")] if action == "view" else []))

    def may_set(self, request: HttpRequest, name: str) -> bool:
        needed = self.model.field_permissions.get(name)
        return needed is None or request.user.has_perm(needed)

    # --- rows --------------------------------------------------------------------------------------------------------

    def visible(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The objects that exist for the user of `request`."""
        return self.model.objects.visible_to(request.user)

    def rows(self, request: HttpRequest, filters: Mapping[str, Any]) -> Rows:
        return self.visible(request).filter(**filters).values(self.key.name, *self.fields)

    def get(self, request: HttpRequest, key: Any) -> Row:
        """The row of `key`.

        Raises:
            Problem: 404.
        """
        row = self.rows(request, {"pk": key}).first()
        if row is None:
            raise self.missing(key)
        return row

    def lock(self, request: HttpRequest, key: Any) -> ContentModel:
        """The object of `key`, locked until the transaction ends.

        Raises:
            Problem: 404.
        """
        obj: ContentModel | None = self.visible(request).select_for_update(of=("self",)).filter(pk=key).first()
        if obj is None:
            raise self.missing(key)
        return obj

    def missing(self, key: Any) -> Problem:
        return Problem(404, f"There is no {self.noun} {key}.")

    def row(self, obj: models.Model) -> Row:
        return {column.name: getattr(obj, column.attname) for column in (self.key, *self.columns)}

    def location(self, request: HttpRequest, key: Any) -> str:
        """The address of the object, in the version of the API that was asked."""
        namespace = request.resolver_match.namespace if request.resolver_match else ""
        return reverse(f"{namespace}:{self.name}", args=[key])

    # --- writes: each is one transaction, so that an error after it keeps nothing of it -------------------------------

    def create(self, request: HttpRequest, values: Values) -> Row:
        with transaction.atomic():
            return self.save(request, self.model(), values)

    def replace(self, request: HttpRequest, key: Any, values: Values) -> Row:
        """What is left out becomes its default, but for what the user may not set."""
        with transaction.atomic():
            obj = self.lock(request, key)
            rest = [column for column in self.columns if self.may_set(request, column.name)]
            return self.save(request, obj, {column.name: column.get_default() for column in rest} | values)

    def change(self, request: HttpRequest, key: Any, values: Values) -> Row:
        with transaction.atomic():
            obj = self.lock(request, key)
            return self.save(request, obj, values)

    def delete(self, request: HttpRequest, key: Any) -> None:
        """Delete the object and what hangs under it, each kind by its own permission, as the admin.

        Raises:
            Problem: 404, or 403, naming the permission.
        """
        with transaction.atomic():
            obj = self.lock(request, key)
            going = Collector(using=self.model._default_manager.db, origin=obj)
            going.collect([obj])
            for model in going.data:
                if issubclass(model, ContentModel):
                    require(request, f"{model._meta.app_label}.delete_{model._meta.model_name}")
            going.delete()

    def save(self, request: HttpRequest, obj: ContentModel, values: Values) -> Row:
        """Write `values`, in a transaction that holds the row's lock.

        Raises:
            Problem: 403, naming the permission that a value needs.
            ValidationError: a rule is broken, or a link leads to what the user can't see.
        """
        before = tracked(obj)
        for column in self.columns:
            if column.name in values:
                setattr(obj, column.attname, values[column.name])
        if found := rules.refusals(obj, user=request.user, before=before):
            errors = [FieldError(one.field, f"{one.message[:-1]}; leave it out.") for one in found]
            raise Problem(403, "; ".join(f"{field}: {text}" for field, text in errors), errors=errors)
        rules.check_links(obj, user=request.user, before=before)
        obj.full_clean()
        obj.save()
        return self.row(obj)


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
