"""The preview of a sync, field by field; it sends nothing and moves no mark."""

from collections.abc import Iterable, Iterator, Sequence

from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from backoffice.kit import clock
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import joined, phrase
from syncer.core.ceiling import is_too_many, reason
from syncer.core.state import Health, health_of
from syncer.engine.ceiling import too_many
from syncer.engine.runs import not_delivered, on_hold
from syncer.models import Binding, Target
from syncer.models.backlog import pending_keys, pending_pages
from syncer.models.binding import UNBLOCKED
from syncer.models.routemap import RouteMap
from syncer.reports.words import label
from syncer.targets.base import kind_of
from syncer.targets.previews import Adoption, Planned


def adoptions(target: Target) -> Sequence[Adoption]:
    """Return what the first sync of each route would make of the records that the target has already.

    The target is asked for its lists, unless it is paused, blocked, or asked us to wait.

    Raises:
        TargetStoppedError: see `RouteMap`.
    """
    health = health_of(target, clock.now())
    is_asked = health in (Health.HEALTHY, Health.UNREACHABLE)
    return kind_of(target).adoptions(
        RouteMap(target),
        why_not="" if is_asked else _("%(target)s is %(health)s") % {"target": target, "health": label(health)},
    )


def preview(target: Target, adopted: Iterable[Adoption] = ()) -> Iterator[Planned]:
    """Yield the deliveries of a sync of all pending objects, parents first, some hundred objects at a time.

    Args:
        adopted: what `adoptions` returned; of objects whose records are there, no creates are yielded.
    """
    routes, kind = RouteMap(target), kind_of(target)
    found = {one.route.pk: one.found for one in adopted}
    for route in routes.parents_first:
        there = found.get(route.pk, frozenset())
        for keys in pending_pages(route):
            yield from kind.preview(routes, route, [key for key in keys if key not in there])


def nothing_to_send(target: Target) -> str:
    """Say that a preview is empty. What the target holds by now is not known: somebody else may have changed it."""
    blocked = Binding.objects.left(target).exclude(UNBLOCKED)
    waiting = [not_delivered(blocked), on_hold(Binding.objects.held(target).count())]
    return localized(joined([phrase("Nothing to send."), *waiting]) if any(waiting) else kind_of(target).nothing)


def would_wait(target: Target) -> str:
    """Return the sentence that names the deletes of a sync that would wait for a person; empty where none would."""
    routes, many = RouteMap(target), []
    for route in routes.parents_first:
        pending = pending_keys(route)
        keys = RawSQL(pending.sql, pending.params)  # noqa: S611 - built from our own names only
        bound = Binding.objects.filter(route=route, remote_id__isnull=False)
        number = bound.filter(routes.deletes(route), delete_allowed=False, object_key__in=keys).count()
        held = bound.count() if number else 0
        if is_too_many(number, held=held, limit=route.max_deletes):
            many.append(too_many(number, route, reason(held=held, limit=route.max_deletes)))
    text = _("Of these, deletes wait until a person has allowed them: %(deletes)s.")
    return text % {"deletes": localized(joined(many, "; "))} if many else ""
