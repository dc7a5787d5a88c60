"""The ceiling on destruction: deletes of which a run would make too many wait for a person.

Constraints:
- Only a person's permission is stored (`Binding.delete_allowed`), on exactly the bindings that this person was shown.
  The wait itself is a condition of each claim, so that it begins and ends with the rows.
- A run in slices, or with several workers, must not pass the ceiling bit by bit: what the run has deleted without
  permission counts too, and so does what is in flight, which is due until it is settled. A program that deletes objects
  one by one starts many runs on a route that follows changes: for an automatic run, what other automatic runs deleted
  in the last seconds counts as well.
- What belongs together waits together: the record of a child is not deleted while the delete of its parent waits. (The
  delete of a parent waits for its children anyway.)
- While a route has nothing to delete, the ceiling costs nothing; while it has a few deletes, one bounded count.
- Pages must not look at all that is due to find the few, or the many, deletes that wait. So a run notes on the bindings
  which it left to a person (`delete_waits`), and pages count those of them that still are deletes. No claim reads the
  note; each one ends it. See docs/adr/0042-pages-count-what-runs-left.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from backoffice.kit import clock
from backoffice.kit.estimates import MOST, Count, bounded
from backoffice.kit.phrases import Phrase, Value, counted, joined, phrase
from syncer.core.ceiling import FREE, PERCENT, is_too_many, reason
from syncer.engine.alerts import deletes as alerts
from syncer.models import Attempt, Binding, Route, Run, Target
from syncer.models.binding import DUE, LEFT_DELETES, UNBLOCKED
from syncer.models.routemap import RouteMap

NOTHING = Q(pk__in=[])
SHOWN = 3  # models in a sentence
BURST = timedelta(seconds=20)  # less than ALERT_AFTER_SECONDS: a few deletes that wait for its end alert nobody


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The deletes of one route that wait for a person."""

    route: Route
    condition: Q  # for a queryset of the route's bindings
    number: Count
    held: Count  # records that the target holds of the route
    is_own: bool  # whether the route's own deletes are too many; else they wait with those of a parent

    @property
    def why(self) -> str:
        """Why they wait, to follow their number: "more than 20 and more than 10 % of the 500 records"."""
        if not self.is_own:
            return phrase("which belong to others of them")
        return reason(held=self.held.phrase, limit=self.route.max_deletes)


def unpermitted(routes: RouteMap, route: Route) -> Q:
    """Return the condition for bindings of `route` whose delivery would delete a record without a permission."""
    return DUE & UNBLOCKED & Q(delete_allowed=False) & routes.deletes(route)


def waiting(routes: RouteMap, route: Route, run: Run | None = None) -> Q:
    """Return the condition for those bindings of `route` whose deletes wait for a person; it may fit none.

    Args:
        run: the run that would make the deletes; what it has deleted already counts too.
    """
    if is_over(routes, route, run):
        return unpermitted(routes, route)
    below = NOTHING
    for parent in {link.parent.pk: link.parent for link in routes.links_up(route) if link.parent}.values():
        if parent != route:
            above = Binding.objects.filter(waiting(routes, parent, run), route=parent)
            below |= Q(parent__in=above.order_by().values("pk"))
    return below if below == NOTHING else unpermitted(routes, route) & below


def is_over(routes: RouteMap, route: Route, run: Run | None = None) -> bool:
    """Return whether the route's own deletes are too many for a run."""
    deletes = Binding.objects.filter(unpermitted(routes, route), route=route).order_by()
    limit = FREE if route.max_deletes is None else route.max_deletes
    number = len(deletes.values_list("pk", flat=True)[: limit + 1])
    done = _deleted_before(run, route) if number and run else 0
    if number == 0 or number + done <= limit:
        return False
    if route.max_deletes is not None:
        return True
    return is_too_many(deletes.count() + done, held=_held(route) + done, limit=None)


def waiting_at(target: Target, run: Run | None = None) -> list[Waiting]:
    """Return the deletes that wait at a target, one item for each route that has any, parents first.

    Raises:
        TargetStoppedError: the target's routes can't be read.
    """
    if not Binding.objects.filter(DUE & UNBLOCKED, route__target=target, remote_id__isnull=False).exists():
        return []
    routes, items = RouteMap(target), []
    for route in routes.parents_first:
        condition = waiting(routes, route, run)
        number = Binding.objects.filter(condition, route=route).count()
        if number:
            is_own = is_over(routes, route, run)
            item = Waiting(
                route=route, condition=condition, number=Count(number), held=Count(_held(route)), is_own=is_own
            )
            items.append(item)
    return items


def left_at(target: Target) -> list[Waiting]:
    """Return the deletes that runs left to a person and that still are deletes, as `waiting_at`, counted to a bound.

    Raises:
        TargetStoppedError: the target's routes can't be read.
    """
    if not Binding.objects.filter(LEFT_DELETES, route__target=target).exists():
        return []
    routes = RouteMap(target)
    return [item for route in routes.parents_first if (item := _left_of(routes, route)).number]


def left(routes: RouteMap, route: Route) -> Q:
    """Return the condition for those bindings of `route` whose deletes a run left to a person."""
    all_are_noted = _noted(route) <= MOST
    return (LEFT_DELETES if all_are_noted else Q()) & unpermitted(routes, route)


def _left_of(routes: RouteMap, route: Route) -> Waiting:
    bindings = Binding.objects.filter(route=route).order_by()
    noted = bindings.filter(LEFT_DELETES).order_by("pk").values("pk")[: MOST + 1]
    found = bindings.filter(unpermitted(routes, route), pk__in=noted).count()
    number = Count(found, "at least") if found <= MOST < noted.count() else bounded(found, MOST)
    enough = number * 100 // PERCENT  # records, of which so many deletes would not be too many
    records = bindings.filter(remote_id__isnull=False)[: enough + 1].count()
    held = Count(records) if records <= enough else Count(enough, "more than")
    is_own = bool(number.words) or is_too_many(number, held=held, limit=route.max_deletes)
    return Waiting(route=route, condition=left(routes, route), number=number, held=held, is_own=is_own)


def reasons(items: Sequence[Waiting]) -> Phrase:
    """Say how many wait of each model and why: "488 of news.Post, more than 20 and more than 10 % of the 500 …"."""
    return joined((too_many(item.number.phrase, item.route, item.why) for item in items), "; ")


def too_many(number: Value, route: Route, why: str) -> Phrase:
    """Say how many deletes of a route wait, and why."""
    return phrase("%(number)s of %(model)s, %(why)s", number=number, model=route.model, why=why)


REVIEW = "Review them at %(address)s"


def without_address(text: str) -> str:
    """Return a text of `sentence` for a page, which links to the review."""
    return text.without(REVIEW) if isinstance(text, Phrase) else text


def sentence(items: Sequence[Waiting]) -> str:
    """Say what waits, why, and where a person decides; empty where nothing waits."""
    if not items:
        return ""
    number = sum(item.number for item in items)
    others = phrase("and others") if len(items) > SHOWN else ""
    wait = counted(
        "%(number)s delete waits for a person: %(why)s.",
        "%(number)s deletes wait for a person: %(why)s.",
        number=number,
        why=joined([reasons(items[:SHOWN]), others], "; "),
    )
    return joined([wait, phrase("Review them at %(address)s", address=review_url(items[0].route.target))])


def review_url(target: Target) -> str:
    return f"{settings.NODE_URL}{reverse('admin:syncer_target_deletes', args=[target.pk])}"


def notify(run: Run) -> None:
    """Note what waits, alert operators once while deletes of the run's target do, and end that alert when none does."""
    if items := waiting_at(run.target, run):
        for item in items:
            _note(item)
        alerts.deletes_wait(run.target, sentence(items), now=clock.now())
    else:
        alerts.deletes_decided(run.target, now=clock.now())


def _note(item: Waiting) -> None:
    """Note on bindings that their deletes wait, on as many as pages count; those that others write now can wait."""
    rows = Binding.objects.filter(item.condition, route=item.route, delete_waits=False).order_by("pk")
    if most := MOST + 1 - _noted(item.route):
        with transaction.atomic():
            free = rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
            Binding.objects.filter(pk__in=list(free[:most])).update(delete_waits=True)


def _noted(route: Route) -> int:
    return Binding.objects.filter(LEFT_DELETES, route=route)[: MOST + 1].count()


def _held(route: Route) -> int:
    return Binding.objects.filter(route=route, remote_id__isnull=False).count()


def _deleted_before(run: Run, route: Route) -> int:
    """Return how many records of the route were deleted without a permission that count for this run.

    A binding keeps its permission until its object has a record again; so the two kinds can be told apart afterwards.
    """
    runs = Q(run=run) if run.pk else NOTHING
    if run.trigger not in Run.REQUESTED:
        runs |= Q(at__gt=clock.now() - BURST, run__target=run.target_id) & ~Q(run__trigger__in=Run.REQUESTED)
    done = Q(action__in=(Attempt.Action.DELETE, Attempt.Action.PUSH), outcome=Attempt.Outcome.DONE)
    gone = Q(binding__route=route, binding__remote_id=None, binding__delete_allowed=False)
    return Attempt.objects.filter(runs, done, gone).values("binding").distinct().count()
