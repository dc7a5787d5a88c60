"""What a page says of a target as a whole."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from backoffice.kit import clock
from syncer.core.errors import SyncError
from syncer.core.schedule import CHANGE, MANUAL
from syncer.core.state import Health, health_of
from syncer.engine import summary
from syncer.models import Route, Run, Target, backlog
from syncer.models.backlog import RouteStatus
from syncer.targets.base import kind_of

SWITCH = (MANUAL, CHANGE)


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A target at this moment; the numbers are objects.

    Attributes:
        why: of a target that is blocked or unreachable, the reason.
        next_try: of one that waits or is unreachable, when something is sent again.
        routes: every route, and the status of those that are on and can tell it.
        problem: why some route can't tell what is pending; the numbers lack that route then.
        last: its newest run.
    """

    target: Target
    health: Health
    why: str
    next_try: datetime | None
    routes: list[tuple[Route, RouteStatus | None]]
    problem: str
    last: Run | None

    def _sum(self, number: Callable[[RouteStatus], int]) -> int:
        return sum(number(found) for _, found in self.routes if found)

    @property
    def pending(self) -> int:
        return self._sum(lambda found: found.pending)

    @property
    def bound(self) -> int:
        return self._sum(lambda found: found.bound)

    @property
    def attention(self) -> list[tuple[str, int]]:
        """What needs attention, by word, those at zero too."""
        conflicts = [("conflict", self._sum(lambda found: found.conflicts))] if kind_of(self.target).is_two_way else []
        return [
            *conflicts,
            ("retrying", self._sum(lambda found: found.retrying)),
            ("rejected", self._sum(lambda found: found.rejected)),
            ("in doubt", self._sum(lambda found: found.in_doubt)),
        ]

    @property
    def trigger(self) -> str:
        """`manual` or `change`, where all routes that can be switched say so; else empty."""
        found = {route.trigger for route, _ in self.routes if route.trigger in SWITCH}
        return found.pop() if len(found) == 1 else ""

    @property
    def is_switchable(self) -> bool:
        return any(route.trigger in SWITCH for route, _ in self.routes)

    @property
    def scheduled(self) -> list[Route]:
        """The routes with a rhythm of their own, `every 5 minutes`."""
        return [route for route, _ in self.routes if route.trigger not in SWITCH]


def overview(target: Target) -> Overview:
    """The target as its rows tell it now."""
    health = health_of(target, clock.now())
    why = target.blocked if health is Health.BLOCKED else ""
    if health is Health.UNREACHABLE and (failure := summary.last_failure(target)):
        why = f"{target} {failure}"
    found: list[tuple[Route, RouteStatus | None]] = []
    problem = ""
    for route in target.routes.select_related("target"):
        try:
            found.append((route, backlog.of_route(route) if route.enabled else None))
        except SyncError as error:
            found.append((route, None))
            problem = f"{route.model}: {error}"
    last = target.runs.select_related("target").first()
    return Overview(
        target=target,
        health=health,
        why=why,
        next_try=summary.next_try(target),
        routes=found,
        problem=problem,
        last=last,
    )
