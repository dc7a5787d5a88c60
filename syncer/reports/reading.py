"""Who may read what: the pages of the sync show of the content what its own pages would, and no more.

Apart from the admin's modules, which template tags can't import: unfold loads the tags while it is loaded itself.
"""

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest

from syncer.core.outcome import unquoted
from syncer.models.keys import pks
from syncer.models.mapping import declarations


def unseen(request: HttpRequest, label: str) -> str:
    """Why this person may not read what objects of a model hold: "you may not view posts". Empty: they may."""
    app, _, model = label.lower().partition(".")
    if any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change")):
        return ""
    declaration = declarations().get(label)
    return f"you may not view {declaration.model._meta.verbose_name_plural if declaration else label}"


def unseen_objects(request: HttpRequest, label: str, keys: Collection[str]) -> dict[str, str]:
    """As `unseen`, for single objects, `{key: why}`; those that this person may read are left out.

    A model whose rows have owners has a manager with `visible_to(user)`. Who sees but a part of its rows does not see
    those that were deleted: nothing says any more whose they were.
    """
    if why := unseen(request, label):
        return dict.fromkeys(keys, why)
    if not _has_owners(request, label):
        return {}
    model = declarations()[label].model
    by_key = dict(zip(keys, pks(model, keys), strict=True))
    rows: Any = model._default_manager
    visible = {*rows.visible_to(request.user).filter(pk__in=by_key.values()).values_list("pk", flat=True)}
    return {key: f"you may not view this {model._meta.verbose_name}" for key, pk in by_key.items() if pk not in visible}


def _has_owners(request: HttpRequest, label: str) -> bool:
    """Some rows of the model exist for others only."""
    rows: Any = declarations()[label].model._default_manager if label in declarations() else None
    return hasattr(rows, "visible_to") and bool(rows.visible_to(request.user).query.where)


def may_read_all(request: HttpRequest) -> bool:
    """This person may read everything that travels."""
    return not any(unseen(request, label) or _has_owners(request, label) for label in declarations())


def headline(request: HttpRequest, text: str) -> str:
    """A sentence about a whole target, as this person may read it."""
    return text if may_read_all(request) else unquoted(text)
