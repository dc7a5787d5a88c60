"""The base of every content model: a write and its history row are one transaction, through every door."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.deletion import Collector

from backoffice.kit import context
from backoffice.kit.batches import batched
from content.base.history import BATCH, Records, deleted_together
from syncer import public as sync

KEYS = 1000  # a statement: SQLite has a limit of variables, and PostgreSQL is slow with long lists

Values = dict[Any, dict[str, Any]]  # by primary key, what `tracked` gives


def pages(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """The keys, at most KEYS at a time."""
    return batched(keys, KEYS)


def tracked(obj: models.Model) -> dict[str, Any]:
    """The column values of `obj`, in the types that the database gives back: `{"attname": value}`."""
    return {field.attname: field.to_python(getattr(obj, field.attname)) for field in obj._meta.concrete_fields}


class ContentQuerySet(models.QuerySet[Any]):
    """A queryset whose bulk writes leave history, as `save()` and `delete()` do.

    Of deletes Django's collector tells by `post_delete`, for each object, cascades included.
    """

    def visible_to(self, user: Any) -> Self:
        """The rows that exist for `user`, at every door; a domain whose content has owners overrides it."""
        return self

    def update(self, **values: Any) -> int:
        """As Django's; each row that really changed gets a history row. Returns the number of rows matched."""
        with transaction.atomic(using=self.db):
            before = self._locked(self._lockable())
            rows = self if self.query.annotations else self._plain()  # values may name an annotation
            matched = sum(models.QuerySet.update(rows.filter(pk__in=keys), **values) for keys in pages(before))
            self._record_changes(before)
        return matched

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        update_conflicts: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Any]:
        """As Django's, with a history row for each object.

        Raises:
            ValueError: `ignore_conflicts` or `update_conflicts` is set; the database then does not say which rows it
                wrote, and history would lie.
        """
        if ignore_conflicts or update_conflicts:
            raise ValueError(
                f"{self.model.__name__}.objects.bulk_create() can't ignore or update on conflict: the database would "
                "not say which rows it wrote, so they would get no history. Use save() or update_or_create()."
            )
        with transaction.atomic(using=self.db):
            created = super().bulk_create(list(objs), batch_size=batch_size)
            self._record(created)
            sync.changed(self.model)
        return created

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        """As Django's; each row that really changed gets a history row. Returns the number of rows matched."""
        objs = list(objs)
        with transaction.atomic(using=self.db):
            before: Values = {}
            for keys in pages(obj.pk for obj in objs):
                before |= self._locked(self._plain().filter(pk__in=keys))
            matched = self._plain().bulk_update(objs, list(fields), batch_size=batch_size)
            self._record_changes(before, {obj.pk: getattr(obj, "_change_reason", None) for obj in objs})
        return matched

    bulk_update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's; the history rows of all that goes are written together."""
        with transaction.atomic(using=self.db), deleted_together():
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_delete(self, objs: Iterable[Any]) -> int:
        """Delete these objects, with the reason that each has for it; returns how many rows went, cascades included.

        Afterwards they have no keys any more, as after their own `delete()`.

        Raises:
            ProtectedError, RestrictedError: something else needs one of them.
        """
        with transaction.atomic(using=self.db), deleted_together():
            collector = Collector(using=self.db, origin=self)
            collector.collect(list(objs))
            return collector.delete()[0]

    bulk_delete.alters_data = True  # type: ignore[attr-defined]

    def _plain(self) -> models.QuerySet[Any]:
        return models.QuerySet(self.model, using=self.db)

    def _lockable(self) -> models.QuerySet[Any]:
        """The same rows, as objects that can be locked.

        PostgreSQL judges a row that changed while its lock was waited for anew, but only by the conditions of the
        query itself, so those stay where they can. It refuses FOR UPDATE with DISTINCT, GROUP BY and windows.
        """
        rows = self.order_by()
        if self._fields is not None or self.query.distinct or self.query.annotations:  # type: ignore[attr-defined]
            return self._plain().filter(pk__in=rows.values("pk"))
        return rows.select_related(None).prefetch_related(None).defer(None)

    def _locked(self, rows: models.QuerySet[Any]) -> Values:
        return {obj.pk: tracked(obj) for obj in rows.select_for_update(of=("self",))}

    def _record(self, objs: list[Any], *, update: bool = False) -> None:
        reason = context.cause().reason or None
        self.model.history.bulk_history_create(objs, batch_size=BATCH, update=update, default_change_reason=reason)

    def _record_changes(self, before: Values, reasons: Mapping[Any, str | None] | None = None) -> None:
        any_changed = False
        for keys in pages(before):
            now = self._plain().filter(pk__in=keys)
            if changed := [obj for obj in now if tracked(obj) != before[obj.pk]]:
                for obj in changed:
                    obj._change_reason = (reasons or {}).get(obj.pk)
                self._record(changed, update=True)
                any_changed = True
        if any_changed:
            sync.changed(self.model)


class ContentModel(models.Model):
    """One record of content. A write leaves its history row in the same transaction; a write of nothing leaves none."""

    # Fields that only a permission may set, at every door: {"user_id": "news.set_user_id"}.
    field_permissions: ClassVar[Mapping[str, str]] = {}

    history = Records()
    objects = ContentQuerySet.as_manager()

    class Meta:
        abstract = True
        # Related managers write through the base manager; the plain one would leave no history.
        base_manager_name = "objects"
        default_permissions = ("add", "change", "delete", "view", "import", "export")

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """As Django's, with three differences, all for the sake of a true history.

        1. The row is locked first, and what is not to be saved is taken from it: a history row never records a value
           that was not in the table, however stale this object is.
        2. Where nothing differs from the row, nothing is written.
        3. Row and history row are one transaction.
        """
        with transaction.atomic(using=using):
            stored = None if self.pk is None or force_insert else self._stored(using)
            if stored is not None:
                self._resolve(using)
                wanted = None if update_fields is None else set(update_fields)
                update_fields = self._merge(stored, wanted)
                if not update_fields:
                    return
                self._state.adding = False
            super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=update_fields)

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:  # noqa: FBT001, FBT002 - Django's signature
        """As Django's; the history rows of all that goes with it are written together."""
        with transaction.atomic(using=using), deleted_together():
            return super().delete(using=using, keep_parents=keep_parents)

    delete.alters_data = True  # type: ignore[attr-defined]

    def is_visible_to(self, user: Any) -> bool:
        """As `ContentQuerySet.visible_to`, for one object that may be deleted already."""
        return True

    def restrictions(self, before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The values that only a permission may set as they are now: `(field, permission)`; see `rules.refusals`.

        Args:
            before: the values that are stored, by attname; those of a new object are its defaults.
        """
        for name, permission in self.field_permissions.items():
            attname = self._meta.get_field(name).attname  # type: ignore[union-attr]
            if getattr(self, attname) != before[attname]:
                yield name, permission

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """As Django's, which asks the database about each check; here it is asked once, if all of them hold."""
        self._checks_hold = not exclude and self._all_checks_hold()
        super().validate_constraints(exclude)

    def get_constraints(self) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """Those that `validate_constraints` has to ask about one by one, for their own messages."""
        found = super().get_constraints()
        if not getattr(self, "_checks_hold", False):
            return found
        return [(model, [one for one in all_ if not isinstance(one, models.CheckConstraint)]) for model, all_ in found]

    def _all_checks_hold(self) -> bool:
        checks = [one.condition for one in self._meta.constraints if isinstance(one, models.CheckConstraint)]
        try:
            models.CheckConstraint(name="all", condition=models.Q(*checks)).validate(type(self), self)
        except ValidationError:
            return False
        return True

    def _stored(self, using: str | None) -> Self | None:
        return type(self)._base_manager.using(using).select_for_update(of=("self",)).filter(pk=self.pk).first()

    def _resolve(self, using: str | None) -> None:
        """Give each field that was set to an expression, such as `F("n") + 1`, its value from the locked row."""
        found = {
            field.attname: models.ExpressionWrapper(self.__dict__[field.attname], output_field=field)
            for field in self._meta.concrete_fields
            if hasattr(self.__dict__.get(field.attname), "resolve_expression")
        }
        if found:
            row = type(self)._base_manager.using(using).filter(pk=self.pk).values_list(*found.values()).get()
            for name, value in zip(found, row, strict=True):
                setattr(self, name, value)

    def _merge(self, stored: Self, wanted: set[str] | None) -> list[str]:
        """Take from `stored` what is not `wanted` (None: all is); the names of the fields that are left to write."""
        mine, theirs, changed = tracked(self), tracked(stored), []
        for field in self._meta.concrete_fields:
            if wanted is not None and not {field.name, field.attname} & wanted:
                setattr(self, field.attname, theirs[field.attname])
            elif mine[field.attname] != theirs[field.attname] and not getattr(field, "auto_now", False):
                changed.append(field.name)
        if changed:
            changed += [field.name for field in self._meta.concrete_fields if getattr(field, "auto_now", False)]
        return changed
