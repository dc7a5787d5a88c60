"""Planning: 100,000 history rows of 20,000 objects, spread evenly over 100,000 posts, and over a million.

A rival reads the same rows as ORM objects, folds them by object, and raises the same bindings. Each round plans the
same rows again, from the same mark.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from bench.cpu import Meter
from bench.harness import TINY, Contestant, Figure, faster, pick, race
from bench.stage import Server, django_inside, use

SIZES = (pick(100_000, 500), pick(1_000_000, 500))
CHANGED, TIMES = pick(20_000, 100), 5
BATCH = 1_000


def measure(server: Server, _: Sequence[str]) -> list[Figure]:
    with ExitStack() as stack:
        few = stack.enter_context(django_inside(server, server.filled(SIZES[0])))
        many = stack.enter_context(server.copy(server.filled(SIZES[1])))
        small, large = (Bench(server, database, size) for database, size in zip((few, many), SIZES, strict=True))
        costs = race(
            small.contestant("orm", small.fold),
            small.contestant("small", small.plan),
            large.contestant("large", large.plan),
        )
        use(few)
    title = f"plan {CHANGED * TIMES:,} history rows of {CHANGED:,} objects; an object"
    ours, more = costs["small"], costs["large"]
    rival = faster("plan", title, ours, costs["orm"], against="the same with ORM objects", goal=6)
    growth = Figure(
        line="plan",
        work=title,
        against="a million posts instead of 100k",
        unit="ms CPU",
        ours=more.cpu * 1000,
        rival=ours.cpu * 1000,
        ratio=more.cpu / max(ours.cpu, TINY),
        goal=1.25,
        at_most=True,
        beside={"clock ms": more.clock * 1000, "clock ms, 100k": ours.clock * 1000},
    )
    return [rival, growth]


class Bench:
    """A database with posts, of which CHANGED were changed TIMES times since `mark`."""

    def __init__(self, server: Server, database: str, posts: int) -> None:
        from content.news.models import Post
        from syncer.models import Route
        from syncer.models.routemap import RouteMap

        self.database, self.cpu = database, Meter(server, database)
        use(database)
        self.route = Route.objects.get()
        self.routes = RouteMap(self.route.target)
        self.plan()
        self.route.refresh_from_db()
        self.mark = self.route.mark
        self.last = Post.history.order_by("-history_id").values_list("history_id", flat=True)[0]
        for number in range(TIMES):
            Post.objects.extra(where=["id %% %s = 0"], params=[posts // CHANGED]).update(title=f"Edit {number}")
        self._vacuum()

    def contestant(self, name: str, work: Callable[[], int]) -> Contestant:
        return Contestant(name=name, work=work, cpu=self.cpu, prepare=self.prepare)

    def prepare(self) -> None:
        use(self.database)
        type(self.route).objects.update(mark=self.mark)
        self._vacuum("syncer_binding")

    def plan(self) -> int:
        from syncer.engine.plan import plan

        return plan(self.routes, self.route)

    def fold(self) -> int:
        """Do what a plan does, with ORM objects."""
        from django.db import transaction

        from content.news.models import Post
        from syncer.models import Binding

        newest: dict[str, Any] = {}
        with transaction.atomic():
            for row in Post.history.filter(history_id__gt=self.last).order_by("history_id").iterator(BATCH):
                newest[str(row.id)] = row
            keys = sorted(newest)
            for first in range(0, len(keys), BATCH):
                bindings = list(Binding.objects.filter(route=self.route, object_key__in=keys[first : first + BATCH]))
                for binding in bindings:
                    binding.wanted += 1
                Binding.objects.bulk_update(bindings, ["wanted"])
        return len(newest)

    def _vacuum(self, table: str = "") -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM ANALYZE {table}")
