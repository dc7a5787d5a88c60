"""Permission checks of writes: forms, the API, imports, reverts and peers all call these and only translate the result.

A model declares its own rules, as `ContentModel` does: `restrictions(before)` yields the values that need a permission
of their own, and `visible_to(user)` of its manager returns the rows that exist for a person.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model, ProtectedError, RestrictedError
from django.db.models.deletion import Collector
from django.utils.text import Truncator
from django.utils.translation import gettext as _

Action = Literal["add", "change", "delete", "view"]
Key = TypeVar("Key")
LONGEST = 60  # characters of a value in a message


@dataclass(frozen=True)
class Person:
    """The person, or program, whose permissions are checked."""

    user: Any  # the account; None for the program itself, which may do everything
    name: str = ""  # in messages that somebody else reads; empty for "You"

    def has(self, *permissions: str) -> bool:
        """Return whether they have at least one of these permissions."""
        return self.user is None or any(map(self.user.has_perm, permissions))

    def may(self, model: type[Model], *actions: Action) -> bool:
        """Return whether they may do at least one of these actions with objects of `model`."""
        return any(self.has(*permissions_for(model, action)) for action in actions)

    def refusal(self, model: type[Model], action: Action) -> str:
        """Return the sentence that refuses `action` with any object of `model`; empty if it is allowed."""
        if self.may(model, action):
            return ""
        return self.needs(permissions_for(model, action)[0], _purpose(action, str(model._meta.verbose_name_plural)))

    def needs(self, permission: str, purpose: str = "") -> str:
        """Return a sentence such as "You need the permission news.add_post to add posts."."""
        words = {"name": self.name, "permission": permission, "purpose": purpose}
        if self.name and purpose:
            return _("%(name)s needs the permission %(permission)s %(purpose)s.") % words
        if self.name:
            return _("%(name)s needs the permission %(permission)s.") % words
        if purpose:
            return _("You need the permission %(permission)s %(purpose)s.") % words
        return _("You need the permission %(permission)s.") % words

    def unseen(self, model: type[Model], key: object) -> str:
        """Return the sentence about an object that does not exist for them; the same if it exists for nobody."""
        words = {"model": model._meta.verbose_name, "key": key, "name": self.name}
        if self.name:
            return _("There is no %(model)s %(key)s that %(name)s may see.") % words
        return _("There is no %(model)s %(key)s that you may see.") % words


@dataclass(frozen=True)
class Write:
    """The write of one object."""

    action: Action  # "add", "change" or "delete"
    obj: Any  # with its new values, not yet saved; for "delete" the stored object
    before: Mapping[str, object] | None = None  # the stored values by attname; None unless the action is "change"

    @property
    def model(self) -> type[Model]:
        return type(self.obj)

    @cached_property
    def old(self) -> Mapping[str, object]:
        """The values that need no permission: the stored ones, or for a new object the defaults."""
        defaults = {field.attname: field.get_default() for field in self.model._meta.concrete_fields}
        return defaults if self.before is None else self.before


@dataclass(frozen=True)
class Refusal:
    """Why a person may not write something."""

    message: str  # a sentence
    field: str = ""  # whose new value is refused; empty if the whole write is
    is_link: bool = False  # whether that value refers to an object that does not exist, or not for this person


def _purpose(action: Action, names: str) -> str:
    texts = {
        "add": _("to add %(names)s"),
        "change": _("to change %(names)s"),
        "delete": _("to delete %(names)s"),
        "view": _("to view %(names)s"),
    }
    return texts[action] % {"names": names}


def permissions_for(model: type[Model], action: Action) -> list[str]:
    """Return the permissions of which one suffices, the usual one first. As in the admin, changing includes viewing."""
    options, actions = model._meta, ("view", "change") if action == "view" else (action,)
    return [f"{options.app_label}.{name}_{options.model_name}" for name in actions]


def refusals(write: Write, person: Person) -> list[Refusal]:
    """Return the reasons why `person` may not do this write; empty if they may."""
    return batch_refusals([write], person)[0]


def batch_refusals(writes: Sequence[Write], person: Person) -> list[list[Refusal]]:
    """Return the `refusals` of each write, in their order; all are of one model. Each foreign key costs one query."""
    if person.user is None or not writes:
        return [[] for _ in writes]
    model = writes[0].model
    stored = {write.obj.pk for write in writes if write.action != "add"} - {None}
    unseen, links = hidden(model, stored, person), _unknown_links(writes, person)
    actions = {action: person.refusal(model, action) for action in {write.action for write in writes}}

    def check(write: Write) -> Iterator[Refusal]:
        if message := actions[write.action]:
            yield Refusal(message)
        elif write.obj.pk in unseen:
            yield Refusal(person.unseen(model, write.obj.pk))
        elif write.action == "delete":
            yield from _kept_children(write.obj, person)
        else:
            yield from value_refusals(write, person)
            for name, keys in links.items():
                field: Any = model._meta.get_field(name)
                if (key := _new_link(write, field)) in keys:
                    yield Refusal(person.unseen(field.related_model, key), name, is_link=True)

    return [list(check(write)) for write in writes]


def value_refusals(write: Write, person: Person) -> list[Refusal]:
    """Return a refusal for each new value whose own permission `person` lacks; a part of `refusals`."""
    refused = []
    for name, permission in write.obj.restrictions(write.old):
        if not person.has(permission):
            field: Any = write.model._meta.get_field(name)
            new, old = (
                "" if value is None else Truncator(str(value)).chars(LONGEST)
                for value in (getattr(write.obj, field.attname), write.old[field.attname])
            )
            purpose = _("to set the %(field)s to “%(new)s” instead of “%(old)s”")
            words = {"field": field.verbose_name, "new": new, "old": old}
            refused.append(Refusal(person.needs(permission, purpose % words), name))
    return refused


def as_error(refused: Iterable[Refusal]) -> ValidationError:
    """Return the refusals as Django's error, by field."""
    by_field: dict[str, list[str]] = {}
    for refusal in refused:
        by_field.setdefault(refusal.field or NON_FIELD_ERRORS, []).append(refusal.message)
    return ValidationError(by_field)


# --- visible rows ----------------------------------------------------------------------------------------------------
def hides_rows(model: type[Model], person: Person) -> bool:
    """Return whether rows of `model` can exist that `person` can't see."""
    rows: Any = model._default_manager
    return person.user is not None and hasattr(rows, "visible_to") and bool(rows.visible_to(person.user).query.where)


def hidden(model: type[Model], keys: Collection[Key], person: Person) -> set[Key]:
    """Return those of `keys` that refer to no row visible to `person`; costs no query where they see all rows."""
    return _unknown(model, keys, person) if keys and hides_rows(model, person) else set()


def _unknown(model: type[Model], keys: Collection[Key], person: Person) -> set[Key]:
    """Return those of `keys`, at least one, that refer to no row visible to `person`."""
    rows: Any = model._default_manager
    # Not `pk__in` for a single key: it raises for a number that the database can't hold.
    wanted = {"pk__in": keys} if len(keys) > 1 else {"pk": next(iter(keys))}
    return {*keys} - {*rows.visible_to(person.user).filter(**wanted).values_list("pk", flat=True)}


def _unknown_links(writes: Sequence[Write], person: Person) -> dict[str, set[Any]]:
    """Return by field the new foreign keys that refer to no row visible to `person`, of models with `visible_to`."""
    unknown_by_field = {}
    for field in writes[0].model._meta.concrete_fields:
        if field.related_model and hasattr(field.related_model._default_manager, "visible_to"):
            keys = {_new_link(write, field) for write in writes} - {None}
            if keys and (unknown := _unknown(field.related_model, keys, person)):
                unknown_by_field[field.name] = unknown
    return unknown_by_field


def _new_link(write: Write, field: Any) -> Any:
    """Return the new value of a foreign key; None if it is empty or unchanged."""
    key = None if write.action == "delete" else field.to_python(getattr(write.obj, field.attname))
    return None if key == write.old[field.attname] else key


# --- objects deleted in cascade --------------------------------------------------------------------------------------
def _kept_children(obj: Model, person: Person) -> Iterator[Refusal]:
    """Yield a refusal for each model whose objects the cascade would delete and `person` may not, as in the admin."""
    kinds = _kinds_below(type(obj))
    if obj.pk is None or all(person.may(kind, "delete") for kind in kinds):
        return
    going: Any = Collector(using=obj._state.db or type(obj)._default_manager.db, origin=obj)
    try:
        going.collect([obj])
    except (ProtectedError, RestrictedError):
        return  # nobody can delete it; the deletion itself raises the reason
    unread = (rows.model for rows in going.fast_deletes if rows.exists())
    for kind in sorted({*going.data, *unread} & kinds, key=str):
        if not person.may(kind, "delete"):
            purpose = _("to delete the %(name)s's %(parts)s")
            words = {"name": obj._meta.verbose_name, "parts": kind._meta.verbose_name_plural}
            yield Refusal(person.needs(permissions_for(kind, "delete")[0], purpose % words))


def _kinds_below(model: type[Model]) -> set[type[Model]]:
    """Return the content models whose objects may refer to one of `model`, directly or through other models."""
    below: set[type[Model]] = set()
    todo = [model]
    while todo:
        for relation in todo.pop()._meta.get_fields(include_hidden=True):
            kind: Any = relation.related_model
            if relation.auto_created and not relation.concrete and kind not in below:
                below.add(kind)
                todo.append(kind)
    return {kind for kind in below if hasattr(kind, "restrictions")}
