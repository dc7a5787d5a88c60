"""Permission to read content: the sync's pages show of an object only what its own pages would show the same person.

This module is not in `syncer.admin`, which template tags can't import: unfold loads the tags while it is being loaded.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.kit.permissions import Person, hidden, hides_rows
from backoffice.kit.phrase_field import localized
from backoffice.kit.urls import admin_url
from syncer.core.outcome import unquoted
from syncer.engine.ceiling import without_address
from syncer.models.keys import pks
from syncer.models.mapping import declarations


def unseen(request: HttpRequest, label: str) -> str:
    """Return the sentence that says why this person may not read objects of a model; empty if they may."""
    person = Person(request.user)
    if declaration := declarations().get(label):
        return person.refusal(declaration.model, "view")
    app, _dot, model = label.lower().partition(".")  # a model that no longer travels
    view, change = (f"{app}.{action}_{model}" for action in ("view", "change"))
    return "" if person.has(view, change) else person.needs(view, _("to view %(names)s") % {"names": label})


def unseen_objects(request: HttpRequest, label: str, keys: Collection[str]) -> dict[str, str]:
    """Return `{key: why}` for those of the objects that this person may not read, with the sentence of `unseen`.

    A model whose rows have owners has a manager with `visible_to(user)`. A person who sees only some of its rows sees
    no deleted ones: nothing says any more who owned them.
    """
    if why := unseen(request, label):
        return dict.fromkeys(keys, why)
    if label not in declarations():
        return {}
    model, person = declarations()[label].model, Person(request.user)
    by_key = dict(zip(keys, pks(model, keys), strict=True))
    unseen_pks = hidden(model, by_key.values(), person)
    return {key: person.unseen(model, pk) for key, pk in by_key.items() if pk in unseen_pks}


def not_carried(request: HttpRequest, label: str) -> str:
    """Return the sentence that says why this person may let no route carry a model; empty if they may.

    A route takes all rows of a model to wherever its target is, so whoever writes it must be allowed to view them all.
    """
    if why := unseen(request, label):
        return why
    declaration = declarations().get(label)
    if declaration and hides_rows(declaration.model, Person(request.user)):
        return _("You may view only some of the %(names)s.") % {"names": declaration.model._meta.verbose_name_plural}
    return ""


def carried(request: HttpRequest) -> list[str]:
    """Return the labels of the models that this person may let a route carry."""
    return [label for label in sorted(declarations()) if not not_carried(request, label)]


def live_objects(label: str, keys: Collection[str]) -> dict[str, Model]:
    """Return those of the objects of a model that exist, by key, whoever may see them."""
    model = declarations()[label].model
    by_key = dict(zip(keys, pks(model, keys), strict=True))
    live = model._default_manager.in_bulk(list(set(by_key.values())))
    return {key: live[pk] for key, pk in by_key.items() if pk in live}


def page_of(obj: Model) -> str:
    """Return the address of an object's page; empty if it has none."""
    try:
        return admin_url(type(obj), "change", obj.pk)
    except NoReverseMatch:
        return ""


@dataclass(frozen=True)
class Shown:
    """An object as one person may see it; the page and the title are empty where it is gone, or not theirs to see."""

    name: str  # `Post 5`
    title: str = ""
    page: str = ""


def named(label: str, key: str) -> str:
    """Return an object's name, `Post 5`; of a model that no longer travels, `news.Post 5`."""
    declaration = declarations().get(label)
    return f"{capfirst(declaration.model._meta.verbose_name) if declaration else label} {key}"


def shown(request: HttpRequest, label: str, key: str) -> Shown:
    name = named(label, key)
    if label not in declarations() or unseen_objects(request, label, [key]) or not (live := live_objects(label, [key])):
        return Shown(name)
    return Shown(name, str(live[key]), page_of(live[key]))


def plural(label: str) -> str:
    """Return what a model's objects are called, `Posts` of `news.Post`; the label if it no longer travels."""
    declaration = declarations().get(label)
    return str(capfirst(declaration.model._meta.verbose_name_plural)) if declaration else label


def may_read_all(request: HttpRequest) -> bool:
    """Return whether this person may read all objects of all models that travel."""
    person, models = Person(request.user), [declaration.model for declaration in declarations().values()]
    return not any(person.refusal(model, "view") or hides_rows(model, person) for model in models)


def headline(request: HttpRequest, sentence: object) -> str:
    """Return a sentence about a whole target, without its quotes of content unless this person may read everything."""
    text = without_address(sentence if isinstance(sentence, str) else str(sentence))
    return localized(text if may_read_all(request) else unquoted(text)).rstrip()
