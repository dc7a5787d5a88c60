"""Hold objects back from a target, and release them.

Constraints:
- A hold is a person's, and apart from the state of the delivery: neither an edit nor a retry ends it.
- All else goes on: plans raise the object, the mark moves on, and what a peer sends is merged.
- An object that was never planned can be held; its first delivery waits as well.
- A request that a worker has begun is not called back, and its answer still counts.
- Nobody waits for long, however many objects are chosen.

The design: a hold is columns of the binding, which the claim reads. It is written in slices, each a short transaction
that locks the rows in the order that plans lock them, with an entry in the admin's log. A release only ends the hold:
the sweep finds what is due.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models, transaction
from django.utils.translation import gettext as _

from backoffice.kit import clock
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.batches import batched
from backoffice.kit.logs import by
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import phrase
from syncer.core.errors import NotPossibleError
from syncer.engine.plan import raise_keys
from syncer.models import Binding, Route, Target
from syncer.models.binding import HELD_REASON_LENGTH
from syncer.models.keys import key_of, pks

log = logging.getLogger("syncer.engine.holding")
SLICE = 500  # objects of one transaction
RECORDED = 20  # objects whose keys the audit trail keeps
# Objects by the primary keys of their routes, as text, so that JSON holds it: {"7": ["1", "2"]}.
Chosen = Mapping[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Released:
    """How many objects were released, and how many of them are due, so that they are sent now."""

    number: int = 0
    due: int = 0


def uncounted(number: int) -> None:
    """Count nothing: what `hold` and `release` do with the number of each slice by default."""


def chosen_of(model: str, keys: Iterable[str], *, targets: Iterable[Target] | None = None) -> Chosen:
    """Choose objects of one model at these targets; None: at every target that the model has a route to."""
    routes = Route.objects.filter(model=model)
    if targets is not None:
        routes = routes.filter(target__in=[target.pk for target in targets])
    keys = list(keys)
    return {str(pk): keys for pk in routes.order_by("pk").values_list("pk", flat=True)}


def bindings_of(rows: "models.QuerySet[Binding]") -> Chosen:
    """Choose the objects of these bindings."""
    chosen: dict[str, list[str]] = {}
    for route, key in rows.order_by("route", "object_key").values_list("route", "object_key"):
        chosen.setdefault(str(route), []).append(key)
    return chosen


def hold(chosen: Chosen, *, reason: str, user: Any = None, counted: Callable[[int], None] = uncounted) -> int:
    """Hold the chosen objects back; those on hold already keep their hold.

    Args:
        user: the person who holds them; None: a command did.
        counted: called after each slice with the number of its objects.

    Returns:
        How many objects are on hold that were not.

    Raises:
        NotPossibleError: there is no reason, or it is too long.
    """
    why = checked(reason)
    number = 0
    for route, keys in slices(chosen):
        with transaction.atomic():
            raise_keys(route, _known(route, keys), by=0)
            free = Binding.objects.filter(route=route, object_key__in=keys, on_hold=False)
            message = phrase("Held", quoted=why)
            number += _write(free, message, user, on_hold=True, held_at=clock.now(), held_by=_name(user), held_why=why)
        counted(len(keys))
    _record("hold", chosen, number, user)
    return number


def release(chosen: Chosen, *, user: Any = None, counted: Callable[[int], None] = uncounted) -> Released:
    """Release the chosen objects; the arguments are those of `hold`."""
    number = due = 0
    for route, keys in slices(chosen):
        with transaction.atomic():
            held = Binding.objects.filter(route=route, object_key__in=keys, on_hold=True)
            raise_keys(route, held.values_list("object_key", flat=True), by=0)
            due += held.filter(due=True).count()
            number += _write(held, phrase("Released."), user, on_hold=False, held_at=None, held_by="", held_why="")
        counted(len(keys))
    _record("release", chosen, number, user)
    return Released(number=number, due=due)


def missing(chosen: Chosen) -> list[str]:
    """Return the chosen objects that do not exist and were never sent, such as `["news.Post:5"]`."""
    known: dict[str, bool] = {}
    for route, keys in slices(chosen):
        found = set(_known(route, keys))
        for key in keys:
            name = f"{route.model}:{key}"
            known[name] = known.get(name, False) or key in found
    return [name for name, is_known in known.items() if not is_known]


def checked(reason: str) -> str:
    """Return the reason of a hold as it is stored.

    Raises:
        NotPossibleError: there is none, or it is too long.
    """
    why = " ".join(reason.replace("\0", " ").split())
    if not why:
        raise NotPossibleError(_("Give a reason: others have to know why the object is held back."))
    if len(why) > HELD_REASON_LENGTH:
        text = _("The reason has %(number)d characters; at most %(most)d are kept.")
        raise NotPossibleError(text % {"number": len(why), "most": HELD_REASON_LENGTH})
    return why


def slices(chosen: Chosen) -> Iterator[tuple[Route, list[str]]]:
    """Yield the chosen objects in slices, with their routes; those of routes that are deleted by now are left out."""
    routes = Route.objects.select_related("target").in_bulk([int(pk) for pk in chosen])
    for pk, keys in chosen.items():
        for some in batched(keys, SLICE) if int(pk) in routes else ():
            yield routes[int(pk)], some


def _known(route: Route, keys: list[str]) -> list[str]:
    """Return the keys of objects that exist, or that the target was sent once."""
    model = route.declaration.model
    live = model._default_manager.filter(pk__in=pks(model, keys)).values_list("pk", flat=True)
    planned = Binding.objects.filter(route=route, object_key__in=keys).values_list("object_key", flat=True)
    known = {key_of(model, pk) for pk in live} | set(planned)
    return [key for key in keys if key in known]


def _record(decision: str, chosen: Chosen, number: int, user: Any) -> None:
    if number:
        routes = Route.objects.filter(pk__in=[int(pk) for pk in chosen])
        keys = [key for keys in chosen.values() for key in keys]
        models = sorted({route.model for route in routes})
        record(Action.DECIDED, actor=user, decision=decision, objects=number, models=models, keys=keys[:RECORDED])


def _name(user: Any) -> str:
    return user.get_username() if user else ""


def _write(rows: "models.QuerySet[Binding]", message: str, user: Any, **columns: Any) -> int:
    """Write the columns of locked rows of one route, and log what was done; return how many."""
    bindings = list(rows.select_related("route"))
    Binding.objects.filter(pk__in=[binding.pk for binding in bindings]).update(**columns)
    if user is not None and bindings:
        LogEntry.objects.log_actions(user.pk, bindings, CHANGE, localized(message))
    if bindings:
        done = "held" if columns["on_hold"] else "released"  # the reason is a person's words
        log.info("%d of %s: %s (by %s)", len(bindings), bindings[0].route.model, done, by(user))
    return len(bindings)
