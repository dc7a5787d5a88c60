"""One model at the JSON API: who may do what, and how it is read and written. See `content.base.api`."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest
from django.urls import reverse

from backoffice.kit.api import conditional
from backoffice.kit.api.pagination import Row
from backoffice.kit.api.problems import Problem
from backoffice.kit.auth import require_action, require_write
from backoffice.kit.permissions import Action, Person, Write, value_refusals
from content.base.models import ContentModel, tracked
from content.base.shapes import Shapes

Values = dict[str, Any]  # by the field names of the API


@dataclass(frozen=True)
class Written:
    """What a write left: the row, its version (the number of its newest history row), and whether it is new."""

    row: Row
    version: int
    is_new: bool


@dataclass(frozen=True)
class Endpoint(Shapes):
    """One model as the API shows it; see `Shapes` for what it is declared by.

    A domain may override `create`, `replace`, `change`, `delete` and `check_delete`.
    """

    # --- permissions -------------------------------------------------------------------------------------------------

    def allow(self, request: HttpRequest, action: Action) -> None:
        """As the admin: who may change may also view.

        Raises:
            Problem: 403, naming the permission.
        """
        require_action(request, self.model, action)

    # --- reads -------------------------------------------------------------------------------------------------------

    def visible(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The objects that exist for the user of `request`."""
        return self.model.objects.visible_to(request.user)

    def get(self, request: HttpRequest, key: Any, columns: tuple[str, ...]) -> tuple[Row, int]:
        """The `columns` of `key`, and its version.

        Raises:
            Problem: 404.
        """
        found = self.visible(request).filter(pk=key).values_list(*columns, self._newest_version)[:1]
        row = next(iter(found), None)
        if row is None:
            raise self.missing(key)
        return dict(zip(columns, row[:-1], strict=True)), row[-1] or 0

    @cached_property
    def _newest_version(self) -> models.Subquery:
        return models.Subquery(self._history(models.OuterRef("pk")))

    def version(self, key: Any) -> int:
        """The number of the newest history row of `key`; 0: there is none."""
        return self._history(key).first() or 0

    def _history(self, key: Any) -> Any:
        rows = self.model.history.filter(**{self.key_column.attname: key})
        return rows.order_by("-history_id").values_list("history_id", flat=True)[:1]

    def lock(self, request: HttpRequest, key: Any) -> ContentModel:
        """The object of `key`, locked until the transaction ends, as the request's conditions want it.

        Raises:
            Problem: 404, or 412.
        """
        obj: ContentModel | None = self.visible(request).select_for_update(of=("self",)).filter(pk=key).first()
        if obj is None:
            conditional.check(request, None)
            raise self.missing(key)
        if conditional.is_guarded(request):
            conditional.check(request, self.version(key))
        return obj

    def missing(self, key: Any) -> Problem:
        return Problem(404, f"There is no {self.noun} {key}.")

    def row(self, obj: models.Model) -> Row:
        return {column.name: getattr(obj, column.attname) for column in (self.key_column, *self.columns)}

    def location(self, request: HttpRequest, key: Any) -> str:
        """The address of the object, in the version of the API that was asked."""
        namespace = request.resolver_match.namespace if request.resolver_match else ""
        return reverse(f"{namespace}:{self.name}", args=[key])

    # --- writes: each is one transaction, so that an error after it keeps nothing of it -------------------------------

    def create(self, request: HttpRequest, values: Values) -> Written:
        """Raises:
        Problem: 409, there is one of this key.
        """
        key = values.get(self.key_column.name)
        self._require_free(key)
        try:
            with transaction.atomic():
                return self.save(request, self.model(), values)
        except (IntegrityError, ValidationError):
            self._require_free(key)  # another request may have made it meanwhile
            raise

    def _require_free(self, key: Any) -> None:
        if key is not None and self._is_there(key):
            raise Problem(409, f"The {self.noun} {key} is there already; change it with PUT or PATCH.")

    def _is_there(self, key: Any) -> bool:
        """For anybody, whether they may see it or not."""
        return bool(self.model._base_manager.filter(pk=key).exists())

    def replace(self, request: HttpRequest, key: Any, values: Values) -> Written:
        """What is left out becomes its default, but for what the user may not set."""
        with transaction.atomic():
            if self.key == "caller" and not self._is_there(key):
                try:
                    return self._put(request, key, values)
                except Problem:
                    if not self._is_there(key):  # else another request made it meanwhile
                        raise
            self.allow(request, "change")
            obj = self.lock(request, key)
            return self.save(request, obj, self._defaults(request, obj) | values)

    def _defaults(self, request: HttpRequest, obj: ContentModel) -> Values:
        """Those that the user may set in `obj`."""
        write = Write("change", self.model(), tracked(obj))
        kept = {one.field for one in value_refusals(write, Person(request.user))}
        return {column.name: column.get_default() for column in self.written if column.name not in kept}

    def _put(self, request: HttpRequest, key: Any, values: Values) -> Written:
        self.allow(request, "add")
        conditional.check(request, None)
        return self.create(request, values | {self.key_column.name: key})

    def change(self, request: HttpRequest, key: Any, values: Values) -> Written:
        with transaction.atomic():
            return self.save(request, self.lock(request, key), values)

    def delete(self, request: HttpRequest, key: Any) -> None:
        """Delete the object and what hangs under it, each kind by its own permission, as the admin.

        Raises:
            Problem: 404, or 403, naming the permission.
        """
        with transaction.atomic():
            obj = self.lock(request, key)
            self.check_delete(request, obj)
            require_write(request, Write("delete", obj))
            obj.delete()

    def check_delete(self, request: HttpRequest, obj: Any) -> None:
        """For a domain that lets some objects not be deleted.

        Raises:
            Problem: why not.
        """

    def save(self, request: HttpRequest, obj: ContentModel, values: Values) -> Written:
        """Write `values`, in a transaction that holds the row's lock.

        Raises:
            Problem: 403, naming the permission that a value needs.
            ValidationError: a rule is broken, or a link leads to what the user can't see.
        """
        adding = obj._state.adding
        before = tracked(obj)
        for column in (self.key_column, *self.written):
            if column.name in values:
                setattr(obj, column.attname, values[column.name])
        require_write(request, Write("add", obj) if adding else Write("change", obj, before))
        obj.full_clean()
        if adding or tracked(obj) != before:
            obj.save(force_insert=adding)
        return Written(self.row(obj), self.version(obj.pk), adding)
