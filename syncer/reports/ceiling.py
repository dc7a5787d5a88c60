"""Why deletes wait for a person, as pages say it; what runs and alerts store of it is made by `engine.ceiling`."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from syncer.core.ceiling import FREE, PERCENT
from syncer.engine.ceiling import Waiting
from syncer.models import Route


def reasons(items: Sequence[Waiting]) -> str:
    """Say how many wait of each model and why: "488 of news.Post, more than 20 and more than 10 % of the 500 …"."""
    return "; ".join(_reason(item) for item in items)


def _reason(item: Waiting) -> str:
    if item.is_own:
        return too_many(item.number, item.route, held=item.held)
    text = _("%(number)d of %(model)s, which belong to others of them")
    return text % {"number": item.number, "model": item.route.model}


def too_many(number: int, route: Route, *, held: int) -> str:
    """Say how many deletes of a route are too many, of so many records that its target holds."""
    words = {"number": number, "model": route.model, "limit": route.max_deletes, "held": held}
    if route.max_deletes is not None:
        return _("%(number)d of %(model)s, more than the %(limit)d that the route allows in one run") % words
    text = _("%(number)d of %(model)s, more than %(free)d and more than %(percent)d %% of the %(held)d records")
    return text % {**words, "free": FREE, "percent": PERCENT}
