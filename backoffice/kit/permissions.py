"""May this person write this? The one check that forms, the API, imports, reverts and peers ask; they only translate.

A model comes in as an argument and says what is special about it, as `ContentModel` does: `restrictions(before)` yields
the values that need a permission of their own, and `visible_to(user)` of its manager the rows that exist for a person.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model, ProtectedError, RestrictedError
from django.db.models.deletion import Collector
from django.utils.text import Truncator

Action = Literal["add", "change", "delete", "view"]
LONGEST = 60  # characters of a value in a message


@dataclass(frozen=True)
class Person:
    """Whoever asks.

    Attributes:
        user: None: a program, which may do everything.
        name: what messages call them where somebody else reads those; empty: "You".
    """

    user: Any
    name: str = ""

    def has(self, *permissions: str) -> bool:
        """Whether they have one of these."""
        return self.user is None or any(map(self.user.has_perm, permissions))

    def may(self, model: type[Model], *actions: Action) -> bool:
        """Whether they may do one of these with objects of `model`."""
        return any(self.has(*permissions_for(model, action)) for action in actions)

    def refusal(self, model: type[Model], action: Action) -> str:
        """Why they may do nothing of that kind with objects of `model`; empty: they may."""
        if self.may(model, action):
            return ""
        return self.needs(permissions_for(model, action)[0], f"to {action} {model._meta.verbose_name_plural}")

    def needs(self, permission: str, purpose: str = "") -> str:
        """The sentence: "You need the permission news.add_post to add posts."."""
        needs = f"{self.name} needs" if self.name else "You need"
        return " ".join(filter(None, (needs, "the permission", permission, purpose))) + "."

    def unseen(self, model: type[Model], key: Any) -> str:
        """The sentence about an object that does not exist for them, which is the same where it exists for nobody."""
        return f"There is no {model._meta.verbose_name} {key} that {self.name or 'you'} may see."


@dataclass(frozen=True)
class Write:
    """What is to become of one object.

    Attributes:
        action: "add", "change" or "delete".
        obj: the object as it is to be, not saved; the stored one if it is to be deleted.
        before: the stored values by attname, which only a change has.
    """

    action: Action
    obj: Any
    before: Mapping[str, Any] | None = None

    @property
    def model(self) -> type[Model]:
        return type(self.obj)

    @cached_property
    def old(self) -> Mapping[str, Any]:
        """The values that a new one may have without being asked: the stored ones, or the defaults."""
        defaults = {field.attname: field.get_default() for field in self.model._meta.concrete_fields}
        return defaults if self.before is None else self.before


@dataclass(frozen=True)
class Refusal:
    """Why a person may not write something.

    Attributes:
        message: a sentence.
        field: the field whose new value is refused; empty: all of the write is.
        is_link: that value names an object that does not exist, or not for this person.
    """

    message: str
    field: str = ""
    is_link: bool = False


def permissions_for(model: type[Model], action: Action) -> list[str]:
    """The permissions one of which is enough, first the one to ask for. As in the admin, changing includes viewing."""
    options, actions = model._meta, ("view", "change") if action == "view" else (action,)
    return [f"{options.app_label}.{one}_{options.model_name}" for one in actions]


def refusals(write: Write, person: Person) -> list[Refusal]:
    """Why `person` may not do this write; empty: they may."""
    return batch_refusals([write], person)[0]


def batch_refusals(writes: Sequence[Write], person: Person) -> list[list[Refusal]]:
    """As `refusals`, for writes of one model, in their order. The foreign keys cost one query a column."""
    if person.user is None or not writes:
        return [[] for _ in writes]
    model = writes[0].model
    stored = {write.obj.pk for write in writes if write.action != "add"} - {None}
    unseen, links = hidden(model, stored, person), _unknown_links(writes, person)

    def found(write: Write) -> Iterator[Refusal]:
        if why := person.refusal(model, write.action):
            yield Refusal(why)
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

    return [list(found(write)) for write in writes]


def value_refusals(write: Write, person: Person) -> list[Refusal]:
    """The new values that need a permission which `person` lacks; a part of `refusals`."""
    found = []
    for name, permission in write.obj.restrictions(write.old):
        if not person.has(permission):
            field: Any = write.model._meta.get_field(name)
            new, old = (
                "" if value is None else Truncator(value).chars(LONGEST)
                for value in (getattr(write.obj, field.attname), write.old[field.attname])
            )
            purpose = f"to set the {field.verbose_name} to “{new}” instead of “{old}”"
            found.append(Refusal(person.needs(permission, purpose), name))
    return found


def as_error(found: Iterable[Refusal]) -> ValidationError:
    """These refusals as Django has errors, by field."""
    by_field: dict[str, list[str]] = {}
    for refusal in found:
        by_field.setdefault(refusal.field or NON_FIELD_ERRORS, []).append(refusal.message)
    return ValidationError(by_field)


# --- what exists for a person ----------------------------------------------------------------------------------------
def hides_rows(model: type[Model], person: Person) -> bool:
    """Whether some rows of `model`, should there be any, exist for others only."""
    rows: Any = model._default_manager
    return person.user is not None and hasattr(rows, "visible_to") and bool(rows.visible_to(person.user).query.where)


def hidden(model: type[Model], keys: Collection[Any], person: Person) -> set[Any]:
    """Those of `keys` that name nothing which exists for `person`; nothing is asked where all rows exist for them."""
    return _unknown(model, keys, person) if keys and hides_rows(model, person) else set()


def _unknown(model: type[Model], keys: Collection[Any], person: Person) -> set[Any]:
    rows: Any = model._default_manager
    # Not `pk__in` for one: a number that the database can't hold is an error there.
    wanted = {"pk__in": keys} if len(keys) > 1 else {"pk": next(iter(keys))}
    return {*keys} - {*rows.visible_to(person.user).filter(**wanted).values_list("pk", flat=True)}


def _unknown_links(writes: Sequence[Write], person: Person) -> dict[str, set[Any]]:
    """By field, the new keys that name nothing which exists for `person`; only of models that say what does."""
    found = {}
    for field in writes[0].model._meta.concrete_fields:
        if field.related_model and hasattr(field.related_model._default_manager, "visible_to"):
            keys = {_new_link(write, field) for write in writes} - {None}
            if keys and (unknown := _unknown(field.related_model, keys, person)):
                found[field.name] = unknown
    return found


def _new_link(write: Write, field: Any) -> Any:
    """The key that a foreign key is to hold from now on; None: none, or the one that it holds already."""
    key = None if write.action == "delete" else field.to_python(getattr(write.obj, field.attname))
    return None if key == write.old[field.attname] else key


# --- what goes with an object that is deleted ------------------------------------------------------------------------
def _kept_children(obj: Any, person: Person) -> Iterator[Refusal]:
    """The kinds of objects that would go with `obj`, and that `person` may not delete, as in the admin."""
    kinds = _kinds_below(type(obj))
    if obj.pk is None or all(person.may(kind, "delete") for kind in kinds):
        return
    going: Any = Collector(using=obj._state.db or type(obj)._default_manager.db, origin=obj)
    try:
        going.collect([obj])
    except (ProtectedError, RestrictedError):
        return  # it can't be deleted by anybody; the deletion says why
    unread = (rows.model for rows in going.fast_deletes if rows.exists())
    for kind in sorted({*going.data, *unread} & kinds, key=str):
        if not person.may(kind, "delete"):
            name = f"the {obj._meta.verbose_name}'s {kind._meta.verbose_name_plural}"
            yield Refusal(person.needs(permissions_for(kind, "delete")[0], f"to delete {name}"))


def _kinds_below(model: type[Model]) -> set[type[Model]]:
    """The models of content whose objects may point to one of `model`, through whatever others."""
    found: set[type[Model]] = set()
    todo = [model]
    while todo:
        for relation in todo.pop()._meta.get_fields(include_hidden=True):
            kind: Any = relation.related_model
            if relation.auto_created and not relation.concrete and kind not in found:
                found.add(kind)
                todo.append(kind)
    return {kind for kind in found if hasattr(kind, "restrictions")}
