"""Pushes: the whole engine against a loop of `requests`, libcurl's multi, the limit of the line, and signals.

All send to the same remote, `remote.py`, in turns. A push is measured on the clock, from the start of the run to its
end.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.cpu import Meter
from bench.harness import Contestant, Cost, Figure, faster, pick, race
from bench.rivals import loop, multi
from bench.stage import Server, django_inside, running
from tools.servers import free_port

OBJECTS = pick(2_000, 20)
AWAY = 0.05  # seconds until the remote answers
AT_ONCE, NEAR_AT_ONCE = 32, 8
FEW = pick(20, 2)
LIMIT = Cost(clock=AWAY / AT_ONCE, cpu=0.0)  # of 32 requests at once to a remote that takes 50 ms for each
SAVED, TIMES = pick(200, 4), 5
SAVED_BY_RIVAL = pick(20, 2)  # each waits for the remote, so that more only takes longer
FIELDS = {"userId": "user_id", "title": "title", "body": "body"}


def measure(server: Server, lines: Sequence[str]) -> list[Figure]:
    figures: list[Figure] = []
    with django_inside(server, server.migrated()) as database:
        cpu = Meter(server, database)
        works: dict[str, tuple[float, Callable[[Bench], Iterator[Figure]]]] = {
            "push": (0, Bench.near),
            "push-far": (AWAY, Bench.far),
            "signals": (AWAY, Bench.signals),
        }
        for line in lines:
            delay, work = works[line]
            with remote(delay) as url:
                figures += work(Bench(line, url, cpu))
    return figures


@contextmanager
def remote(delay: float) -> Iterator[str]:
    """Start a remote that answers after `delay` seconds; yields its address."""
    port = free_port()
    words = ["granian", "--port", str(port), "--log-level", "warning", "bench.remote:app"]
    with running(words, {**os.environ, "MILLISECONDS": str(delay * 1000)}, port=port):
        yield f"http://127.0.0.1:{port}"


class Bench:
    """The posts, a target at `url` that they are synced to, and what sends them."""

    def __init__(self, line: str, url: str, cpu: Callable[[], float]) -> None:
        from content.news.models import Post
        from syncer.models import Route, Target

        self.line, self.url, self.cpu, self.Post = line, url, cpu, Post
        Post.objects.all().delete()
        self.target = Target.objects.create(name=line, url=url, concurrency=NEAR_AT_ONCE if line == "push" else AT_ONCE)
        Route.objects.create(target=self.target, model="news.Post", path="/posts", fields=FIELDS, existing="create")
        self.rounds = 0

    def near(self) -> Iterator[Figure]:
        """Push to a remote that answers at once."""
        self.add()
        self.sync()
        costs = race(
            self.rival("requests", lambda: loop.push(self.url, self.posts())),
            self.updates(),
            self.rival("libcurl", lambda: multi.push(self.url, self.posts(), at_once=NEAR_AT_ONCE)),
        )
        work = "push updates, 0 ms away"
        yield faster(
            "push", work, costs["updates"], costs["requests"], against="a loop of requests", goal=2, by="clock"
        )
        yield faster("push", work, costs["updates"], costs["libcurl"], against="libcurl multi", goal=0.3, by="clock")

    def far(self) -> Iterator[Figure]:
        """Push to a remote that takes a while, many at once."""
        self.add()
        self.sync()
        costs = race(
            self.rival("requests", lambda: loop.push(self.url, self.posts()[:FEW])),
            self.updates(),
            self.rival("libcurl", lambda: multi.push(self.url, self.posts(), at_once=AT_ONCE)),
            Contestant(name="creates", work=self.engine, cpu=self.cpu, prepare=self.add),
        )
        for name in ("updates", "creates"):
            work = f"push {name}, 50 ms away, {AT_ONCE} at once"
            yield faster(self.line, work, costs[name], LIMIT, against="the limit", goal=0.8, by="clock")
        for name, title in (("requests", "a loop of requests"), ("libcurl", "libcurl multi")):
            work = f"push updates, 50 ms away, {AT_ONCE} at once"
            yield faster(self.line, work, costs["updates"], costs[name], against=title, goal=None, by="clock")

    def signals(self) -> Iterator[Figure]:
        """Save objects several times each, until the remote has the last state of all."""
        from django.db.models.signals import post_save

        self.add(SAVED)
        self.sync()

        def receiver(instance: Any, **_: object) -> None:
            loop.send_when_saved(self.url, instance)

        def with_signals() -> int:
            post_save.connect(receiver, sender=self.Post)
            try:
                return self.save(SAVED_BY_RIVAL)
            finally:
                post_save.disconnect(receiver, sender=self.Post)

        def with_engine() -> int:
            saves = self.save(SAVED)
            assert self.sync()["updated"] == SAVED
            return saves

        costs = race(
            Contestant(name="signals", work=with_signals, cpu=self.cpu, prepare=self.sync),
            Contestant(name="engine", work=with_engine, cpu=self.cpu, prepare=self.sync),
        )
        work = f"{SAVED} objects saved {TIMES} times, 50 ms away, until in sync; a save"
        yield faster(
            self.line, work, costs["engine"], costs["signals"], against="signals with requests", goal=20, by="clock"
        )

    # --- the parts ---------------------------------------------------------------------------------------------------
    def rival(self, name: str, work: Callable[[], int]) -> Contestant:
        return Contestant(name=name, work=work, cpu=self.cpu)

    def updates(self) -> Contestant:
        """Return the engine, which sends posts that were changed just before."""
        return Contestant(name="updates", work=self.engine, cpu=self.cpu, prepare=self.change)

    def add(self, number: int = OBJECTS) -> None:
        self.sync()
        body = "Some words of a post. " * 5
        self.Post.objects.bulk_create(self.Post(title=f"T{n}", body=body) for n in range(number))

    def change(self) -> None:
        """Change the first posts."""
        self.sync()
        self.rounds += 1
        keys = list(self.posts().values_list("pk", flat=True))
        self.Post.objects.filter(pk__in=keys).update(title=f"R{self.rounds}")

    def save(self, number: int) -> int:
        for post in self.Post.objects.order_by("pk")[:number]:
            for _ in range(TIMES):
                self.rounds += 1
                post.title = f"R{self.rounds}"
                post.save()
        return number * TIMES

    def posts(self) -> Any:
        """Return the first posts, as a rival reads them."""
        return self.Post.objects.order_by("pk").values("id", "user_id", "title", "body")[:OBJECTS]

    def engine(self) -> int:
        """Sync; return how many objects were sent."""
        counts = self.sync()
        assert counts["created"] + counts["updated"] == OBJECTS, counts
        return OBJECTS

    def sync(self) -> dict[str, int]:
        from syncer.engine.runs import run_here

        run = run_here(self.target)
        assert run.state == "done", run.message
        counts: dict[str, int] = run.counts
        return counts
