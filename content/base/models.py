"""The base of every content model. Writes are Django's own; the database records each, see `content.base.history`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models

from content.base.history import Records


class ContentQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        """The rows that exist for `user`, at every entry point; a domain whose content has owners overrides it."""
        return self


class ContentModel(models.Model):
    """One record of content. Whatever writes it leaves history, in the transaction of the write."""

    # Fields that only a permission may set, at every entry point: {"user_id": "news.set_user_id"}.
    field_permissions: ClassVar[Mapping[str, str]] = {}

    history = Records()
    objects = ContentQuerySet.as_manager()

    class Meta:
        abstract = True
        default_permissions = ("add", "change", "delete", "view", "import", "export")

    def save_fields(self, names: Iterable[str]) -> None:
        """Save these fields only, and those that tell when it was changed; nothing where none of its own is named."""
        own = self._meta.concrete_fields
        if changed := {field.name for field in own} & {*names}:
            self.save(update_fields=changed | {field.name for field in own if getattr(field, "auto_now", False)})

    def is_visible_to(self, user: Any) -> bool:
        """As `ContentQuerySet.visible_to`, for one object that may be deleted already."""
        return True

    def restrictions(self, before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The values that only a permission may set as they are now: `(field, permission)`; see `kit.permissions`.

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
