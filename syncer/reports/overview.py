"""The state of a whole target, as pages show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter

from django.db.models import Max, OuterRef, Subquery

from backoffice.kit import clock
from backoffice.kit.estimates import MOST, less, total
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of, phrase
from syncer.core.errors import SyncError
from syncer.core.state import Health, health_of, health_with
from syncer.engine import ceiling
from syncer.engine.ceiling import Waiting
from syncer.models import Attempt, Binding, Route, Run, Target, Worker, backlog
from syncer.models.backlog import RouteStatus
from syncer.models.route import CHANGE, MANUAL
from syncer.reports.oldest import Oldest, oldest_unsent
from syncer.targets.base import kind_of

SWITCH = (MANUAL, CHANGE)


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A target at this moment; numbers count objects, and large ones are given as "more than" what was counted."""

    target: Target
    connection: Health  # as far as its own row shows, see `health_of`
    has_worker: bool  # whether a worker is running
    is_contacted: bool  # whether anything was ever sent to it
    why: str  # why the target is blocked or unreachable; else empty
    next_try: datetime | None  # when the next request is sent, if the target is rate limited or unreachable
    routes: list[tuple[Route, RouteStatus | None]]  # every route; without a status if it is off or has a problem
    problem: str  # why the status of a route can't be read, which the numbers then lack; empty if all can be read
    last: Run | None  # the newest run
    deletes: list[Waiting]  # the deletes that runs left to a person

    def _total(self, column: str) -> int:
        return total(getattr(status, column) for _, status in self.routes if status)

    @property
    def pending(self) -> int:
        return self._total("pending")

    @property
    def by_hand(self) -> int:
        """The pending objects that wait for "Sync now"."""
        return self._free(is_manual=True)

    @property
    def moving(self) -> int:
        """The pending objects that are sent automatically."""
        return self._free(is_manual=False)

    @property
    def is_cancelled(self) -> bool:
        """Whether a person cancelled the newest run: what it left waits for the next sync."""
        return self.last is not None and self.last.state == Run.State.CANCELLED

    def _free(self, *, is_manual: bool) -> int:
        waiting = {item.route.pk: item.number for item in self.deletes}
        return total(
            less(status.pending, waiting.get(route.pk, 0))
            for route, status in self.routes
            if status and (route.trigger == MANUAL or self.is_cancelled) is is_manual
        )

    @cached_property
    def oldest(self) -> Oldest | None:
        """The change that has waited longest to be sent."""
        return oldest_unsent(route for route, status in self.routes if status and status.pending)

    @property
    def bound(self) -> int:
        return self._total("bound")

    @property
    def on_hold(self) -> int:
        return self._total("on_hold")

    @property
    def needs(self) -> list[tuple[str, int]]:
        """The numbers of objects that wait for a decision, by state: `[("rejected", 2), ("deletes", 20)]`."""
        columns = ("rejected", "in_doubt", "conflicts")
        return [*((column, self._total(column)) for column in columns), ("deletes", self.deletes_number)]

    @property
    def backlog(self) -> dict[str, int]:
        """The numbers of objects that are not at the target as they are here, by state."""
        numbers = {"pending": self.pending, "retrying": self._total("retrying"), "on_hold": self.on_hold}
        return numbers | dict(self.needs)

    @property
    def needing(self) -> int:
        return total(number for _, number in self.needs)

    @property
    def health(self) -> Health:
        """The health of the target with all that is known of it: a healthy one leaves nothing to wish."""
        return health_with(
            self.connection,
            needs_person=bool(self.needing or self.problem),
            has_worker=self.has_worker,
            is_contacted=self.is_contacted,
        )

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """The place of the target among others, the one that needs a person most first."""
        needs_person = bool(self.needing) or self.health in (Health.BLOCKED, Health.NEEDS_PERSON)
        return not needs_person, [*Health].index(self.health), -self.needing

    @property
    def deletes_number(self) -> int:
        return total(item.number for item in self.deletes)

    @property
    def deletes_why(self) -> str:
        return localized(ceiling.reasons(self.deletes))

    @property
    def attention(self) -> list[tuple[str, int]]:
        """The number of objects that need attention by state: `[("retrying", 2), …]`, with zeros but for `on hold`."""
        columns = {"conflict": "conflicts"} if kind_of(self.target).is_two_way else {}
        columns |= {"retrying": "retrying", "rejected": "rejected", "in doubt": "in_doubt"}
        columns |= {"on hold": "on_hold"} if self.on_hold else {}
        return [(word, self._total(column)) for word, column in columns.items()]

    @property
    def trigger(self) -> str:
        """The trigger that all routes without a schedule share, `manual` or `change`; empty if they differ."""
        triggers = {route.trigger for route, _ in self.routes if route.trigger in SWITCH}
        return triggers.pop() if len(triggers) == 1 else ""

    @property
    def is_switchable(self) -> bool:
        return any(route.trigger in SWITCH for route, _ in self.routes)

    @property
    def scheduled(self) -> list[Route]:
        """The routes with a schedule of their own, such as `every 5 minutes`."""
        return [route for route, _ in self.routes if route.trigger not in SWITCH]


def answered_at(target: Target) -> datetime | None:
    """Return when the target last accepted or refused an object; None: never. What it holds since is not known."""
    settled = Binding.objects.filter(route=OuterRef("pk"), settled_at__isnull=False).order_by("-settled_at")
    newest = target.routes.annotate(at=Subquery(settled.values("settled_at")[:1]))
    at: datetime | None = newest.aggregate(latest=Max("at"))["latest"]
    return at


def overviews() -> list[Overview]:
    """Return the state of every target, the one that needs a person most first."""
    has_worker = Worker.objects.alive().exists()
    return sorted(
        (_overview(target, has_worker=has_worker) for target in Target.objects.all()), key=attrgetter("urgency")
    )


def overview(target: Target) -> Overview:
    """Return the state of the target, as its rows are now."""
    return _overview(target, has_worker=Worker.objects.alive().exists())


def _overview(target: Target, *, has_worker: bool) -> Overview:
    health = health_of(target, clock.now())
    why = target.blocked if health is Health.BLOCKED else ""
    if health is Health.UNREACHABLE and (failure := backlog.last_failure(target)):
        why = phrase("%(target)s %(why)s", target=str(target), why=failure)
    routes: list[tuple[Route, RouteStatus | None]] = []
    problem = ""
    for route in target.routes.select_related("target"):
        try:
            routes.append((route, backlog.of_route(route, most=MOST) if route.enabled else None))
        except SyncError as error:
            routes.append((route, None))
            problem = f"{route.model}: {localized(message_of(error))}"
    return Overview(
        target=target,
        connection=health,
        has_worker=has_worker,
        is_contacted=_is_contacted(target, routes),
        why=why,
        next_try=target.next_try(),
        routes=routes,
        problem=problem,
        last=target.runs.select_related("target").first(),
        deletes=waiting_deletes(target),
    )


def _is_contacted(target: Target, routes: Iterable[tuple[Route, RouteStatus | None]]) -> bool:
    if target.contact_at or any(status.bound for _, status in routes if status):
        return True
    return Attempt.objects.filter(run__target=target).exists()


def waiting_deletes(target: Target) -> list[Waiting]:
    """Return the deletes at the target that runs left to a person; none where its routes can't be read."""
    try:
        return ceiling.left_at(target)
    except SyncError:
        return []
