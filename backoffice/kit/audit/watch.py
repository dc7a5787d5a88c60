"""Record what is done to the rows of a model, by whichever entry point: Django's signals tell of each save and delete.

Updates of querysets send no signals: what is done by one is recorded where it is done.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record

BEFORE = "_audit_before"  # an attribute of the object that is saved: the stored values, by field


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What is recorded of one model.

    Attributes:
        ignored: fields of which a change is no act. Those that nobody edits are ignored too.
        own: fields with an action of their own, and whether the object says that it was done.
    """

    model: type[Model]
    created: Action
    changed: Action
    deleted: Action
    ignored: Collection[str] = ()
    own: Mapping[str, tuple[Action, Callable[[Any], bool]]] = field(default_factory=dict)

    def start(self) -> None:
        receivers: dict[Any, Callable[..., None]] = {
            pre_save: self._before_save,
            post_save: self._after_save,
            post_delete: self._after_delete,
        }
        for signal, receiver in receivers.items():
            signal.connect(receiver, sender=self.model, weak=False, dispatch_uid="audit")

    def _before_save(self, instance: Model, update_fields: Collection[str] | None, **_: object) -> None:
        names = [
            column.name
            for column in self.model._meta.concrete_fields
            if column.editable
            and column.name not in self.ignored
            and (update_fields is None or column.name in update_fields)
        ]
        stored = {}
        if names and not instance._state.adding:
            stored = self.model._base_manager.filter(pk=instance.pk).values(*names).first() or {}
        setattr(instance, BEFORE, stored)

    def _after_save(self, instance: Model, created: bool, **_: object) -> None:  # noqa: FBT001 - Django's signature
        stored = instance.__dict__.pop(BEFORE)
        if created:
            record(self.created, instance)
            return
        columns = {column.name: column for column in self.model._meta.concrete_fields}
        now = {name: getattr(instance, columns[name].attname) for name in stored}
        names = [name for name, value in stored.items() if value != now[name]]
        for name in {*names} & {*self.own}:
            names.remove(name)
            action, is_done = self.own[name]
            if is_done(instance):
                record(action, instance)
        if names:
            switches = {name: now[name] for name in names if isinstance(columns[name], BooleanField)}
            record(self.changed, instance, fields=sorted(names), **switches)

    def _after_delete(self, instance: Model, origin: Any, **_: object) -> None:
        # What goes with another object is part of that act.
        if self.model in (type(origin), getattr(origin, "model", None)):
            record(self.deleted, instance)


def watch_grants(model: Any, relation: str, *names: str) -> None:
    """Record what the many-to-many field `relation` gives to objects of `model` and takes away from them.

    Args:
        names: the columns that name what is given.
    """
    link = model._meta.get_field(relation)

    def changed(instance: Any, action: str, reverse: bool, pk_set: Collection[Any] | None, **_: object) -> None:  # noqa: FBT001 - Django's signature
        act = {"post_add": Action.GRANTED, "post_remove": Action.REVOKED, "pre_clear": Action.REVOKED}.get(action)
        if act is None:
            return
        related = getattr(instance, link.remote_field.get_accessor_name() if reverse else relation)
        others = related.all() if action == "pre_clear" else related.model._base_manager.filter(pk__in=pk_set)
        given = link.related_model._base_manager.filter(pk=instance.pk) if reverse else others
        texts = sorted(".".join(row) for row in given.order_by().values_list(*names))
        for subject in others if reverse else [instance]:
            if texts:
                record(act, subject, relation=relation, given=texts)

    m2m_changed.connect(changed, sender=link.remote_field.through, weak=False, dispatch_uid="audit")
