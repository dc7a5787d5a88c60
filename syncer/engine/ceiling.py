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
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from backoffice.kit import clock
from backoffice.kit.phrases import Phrase, counted, joined, phrase
from syncer.core.ceiling import FREE, is_too_many, reason
from syncer.engine.alerts import deletes as alerts
from syncer.models import Attempt, Binding, Route, Run, Target
from syncer.models.binding import DUE, UNBLOCKED
from syncer.models.routemap import RouteMap

NOTHING = Q(pk__in=[])
SHOWN = 3  # models in a sentence
BURST = timedelta(seconds=20)  # less than ALERT_AFTER_SECONDS: a few deletes that wait for its end alert nobody


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The deletes of one route that wait for a person."""

    route: Route
    condition: Q  # for a queryset of the route's bindings
    number: int
    held: int  # records that the target holds of the route
    is_own: bool  # whether the route's own deletes are too many; else they wait with those of a parent

    @property
    def why(self) -> str:
        """Why they wait, to follow their number: "more than 20 and more than 10 % of the 500 records"."""
        if not self.is_own:
            return phrase("which belong to others of them")
        return reason(held=self.held, limit=self.route.max_deletes)


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
            items.append(Waiting(route=route, condition=condition, number=number, held=_held(route), is_own=is_own))
    return items


def reasons(items: Sequence[Waiting]) -> Phrase:
    """Say how many wait of each model and why: "488 of news.Post, more than 20 and more than 10 % of the 500 …"."""
    return joined((too_many(item.number, item.route, item.why) for item in items), "; ")


def too_many(number: int, route: Route, why: str) -> Phrase:
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
    """Alert operators once while deletes of the run's target wait, and end that alert when none does."""
    if items := waiting_at(run.target, run):
        alerts.deletes_wait(run.target, sentence(items), now=clock.now())
    else:
        alerts.deletes_decided(run.target, now=clock.now())


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
