"""The base of every content model. Writes are plain Django; the database records each in `content.base.history`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from django.db import models

from content.base.history import Records
from content.base.imports.model import Import

__all__ = ["ContentModel", "ContentQuerySet", "Import"]


class ContentQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        """Return the rows that exist for `user`, at every entry point; all of them for None, which is a program.

        A domain with owners overrides it.
        """
        return self


class ContentModel(models.Model):
    """One record of content. Every write of it leaves history, in the transaction of the write."""

    # Fields that only a permission may set, at every entry point: {"user_id": "news.set_user_id"}.
    field_permissions: ClassVar[Mapping[str, str]] = {}
    # The text columns in which lists search for a part of a text; see `content.base.search`.
    searched: ClassVar[Sequence[str]] = ()

    history = Records()
    objects = ContentQuerySet.as_manager()

    class Meta:
        abstract = True
        default_permissions = ("add", "change", "delete", "view", "import", "export")

    def save_fields(self, names: Iterable[str]) -> None:
        """Save only the fields named, and those with `auto_now`; do nothing if the model has none of these names."""
        own = self._meta.concrete_fields
        if changed := {field.name for field in own} & {*names}:
            self.save(update_fields=changed | {field.name for field in own if getattr(field, "auto_now", False)})

    def is_visible_to(self, user: Any) -> bool:
        """Return whether the object, which may be deleted already, exists for `user`; see `visible_to`."""
        return True

    def restrictions(self, before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield `(field, permission)` for each changed value that needs a permission of its own; see `kit.permissions`.

        `before` has the stored values by attname, or the defaults for a new object.
        """
        for name, permission in self.field_permissions.items():
            attname = self._meta.get_field(name).attname  # type: ignore[union-attr]
            if getattr(self, attname) != before[attname]:
                yield name, permission
