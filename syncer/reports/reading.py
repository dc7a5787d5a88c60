"""Who may read what: the pages of the sync show of the content what its own pages would, and no more.

Apart from the admin's modules, which template tags can't import: unfold loads the tags while it is loaded itself.
"""

from collections.abc import Collection

from django.http import HttpRequest

from backoffice.kit.permissions import Person, hidden, hides_rows
from syncer.core.outcome import unquoted
from syncer.models.keys import pks
from syncer.models.mapping import declarations


def unseen(request: HttpRequest, label: str) -> str:
    """Why this person may not read what objects of a model hold, as a sentence. Empty: they may."""
    person = Person(request.user)
    if declaration := declarations().get(label):
        return person.refusal(declaration.model, "view")
    app, _, model = label.lower().partition(".")  # of a model that travels no more
    view, change = (f"{app}.{action}_{model}" for action in ("view", "change"))
    return "" if person.has(view, change) else person.needs(view, f"to view {label}")


def unseen_objects(request: HttpRequest, label: str, keys: Collection[str]) -> dict[str, str]:
    """As `unseen`, for single objects, `{key: why}`; those that this person may read are left out.

    A model whose rows have owners has a manager with `visible_to(user)`. Who sees but a part of its rows does not see
    those that were deleted: nothing says any more whose they were.
    """
    if why := unseen(request, label):
        return dict.fromkeys(keys, why)
    if label not in declarations():
        return {}
    model, person = declarations()[label].model, Person(request.user)
    by_key = dict(zip(keys, pks(model, keys), strict=True))
    unseen_pks = hidden(model, by_key.values(), person)
    return {key: person.unseen(model, pk) for key, pk in by_key.items() if pk in unseen_pks}


def may_read_all(request: HttpRequest) -> bool:
    """This person may read everything that travels."""
    person, models = Person(request.user), [one.model for one in declarations().values()]
    return not any(person.refusal(model, "view") or hides_rows(model, person) for model in models)


def headline(request: HttpRequest, text: str) -> str:
    """A sentence about a whole target, as this person may read it."""
    return text if may_read_all(request) else unquoted(text)
