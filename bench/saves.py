"""What history costs: writes with our triggers, with django-simple-history's own recording, and without either.

The modes take turns on the same tables. The triggers work for a signed-in user, as in a request. SQLite is measured in
a process of its own, see `sqlite.py`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import count
from typing import Any

from bench.cpu import Meter
from bench.harness import TINY, Contestant, Cost, Figure, pick, race
from bench.sqlite import on_sqlite
from bench.stage import Server, django_inside

MODES = ("plain", "simple-history", "triggers")
SAVES = pick(300, 5)
MANY = pick(10_000, 50)
CHILDREN = pick(60_000, 50)
CASCADE_SECONDS = 2.0
TABLES = ("news_comment", "news_post", "news_historicalcomment", "news_historicalpost")

Work = Callable[[], None]


def measure(server: Server, lines: Sequence[str]) -> list[Figure]:
    with django_inside(server, server.migrated()) as database:
        figures = list(Bench("PostgreSQL", Meter(server, database)).figures(lines))
    return [*figures, *on_sqlite(server, lines)]


class Bench:
    """The benchmark of one database. Mode plain drops the triggers; simple-history connects its signals instead."""

    def __init__(self, database: str, cpu: Callable[[], float]) -> None:
        from django.db import connection

        from content.news.models import Comment, Post

        self.connection, self.Post, self.Comment = connection, Post, Comment
        self.database, self.cpu, self.numbers = database, cpu, count(1)
        self.goals = {"update": 2.5} if connection.vendor == "postgresql" else {}

    def figures(self, lines: Sequence[str]) -> Iterator[Figure]:
        works: dict[str, list[tuple[str, Work, int]]] = {
            "save": [("new", self.insert, SAVES), ("changed", self.change, SAVES)],
            "history": [("bulk_create", self.bulk_create, MANY), ("update", self.update, MANY)],
        }
        for line in lines:
            for name, work, units in works[line]:
                costs = self.costs(work, units, MODES if line == "save" else ("plain", "triggers"))
                yield self.of_saves(name, costs) if line == "save" else self.of_sets(name, costs)
            if line == "history":
                yield self.of_cascade()

    def of_saves(self, name: str, costs: dict[str, Cost]) -> Figure:
        plain, ours, theirs = (costs[mode].cpu for mode in ("plain", "triggers", "simple-history"))
        return Figure(
            line="save",
            work=f"save(), {name}, with history, {self.database}",
            against="a plain save",
            unit="ms CPU",
            ours=ours * 1000,
            rival=plain * 1000,
            ratio=plain / max(ours, TINY),
            goal=0.6 if self.database == "PostgreSQL" else None,
            beside={"CPU ms, simple-history": theirs * 1000, "its ratio": plain / max(theirs, TINY)},
        )

    def of_sets(self, name: str, costs: dict[str, Cost]) -> Figure:
        plain, ours = costs["plain"].cpu, costs["triggers"].cpu
        limits = {"bulk_create": 1.6} | self.goals
        return Figure(
            line="history",
            work=f"{name} of {MANY:,} with history, {self.database}",
            against="the same without",
            unit="ms CPU",
            ours=ours * MANY * 1000,
            rival=plain * MANY * 1000,
            ratio=ours / max(plain, TINY),
            goal=limits.get(name),
            at_most=True,
        )

    def of_cascade(self) -> Figure:
        plain, ours = (self.cascade(mode) for mode in ("plain", "triggers"))
        return Figure(
            line="history",
            work=f"cascade delete of {CHILDREN:,} comments with history, {self.database}",
            against="the limit",
            unit="s clock",
            ours=ours,
            rival=CASCADE_SECONDS,
            ratio=ours / CASCADE_SECONDS,
            goal=1.0,
            at_most=True,
            beside={"s without history": plain},
        )

    def costs(self, work: Work, units: int, modes: Sequence[str]) -> dict[str, Cost]:
        def done(mode: str) -> int:
            with self.caused(mode):
                work()
            return units

        posts = units if work in (self.change, self.update) else 0
        prepares = {mode: partial(self.prepare, mode, posts) for mode in modes}
        return race(
            *(
                Contestant(name=mode, work=partial(done, mode), cpu=self.cpu, prepare=prepare)
                for mode, prepare in prepares.items()
            )
        )

    def caused(self, mode: str) -> AbstractContextManager[Any]:
        """Return a context in which a signed-in user writes, as in a request."""
        from backoffice.accounts.models import User
        from backoffice.kit.context import Cause, caused_by

        user = User(pk=1, username="editor")
        return nullcontext() if mode == "plain" else caused_by(Cause(user=lambda: user, request_id="a" * 32))

    # --- the works ---------------------------------------------------------------------------------------------------
    def insert(self) -> None:
        for _ in range(SAVES):
            self.Post.objects.create(title="T", body="B")

    def change(self) -> None:
        for post in self.posts:
            post.title = f"T{next(self.numbers)}"
            post.save()

    def bulk_create(self) -> None:
        self.Post.objects.bulk_create([self.Post(title="T", body="B") for _ in range(MANY)])

    def update(self) -> None:
        self.Post.objects.update(title="U")

    def cascade(self, mode: str) -> float:
        """Return the seconds on the clock of a delete that cascades to CHILDREN rows."""
        self.prepare(mode, 1)
        post = self.posts[0]
        comments = ({"post": post, "name": "N", "email": "a@example.com", "body": "B"} for _ in range(CHILDREN))
        self.Comment.objects.bulk_create(self.Comment(**values) for values in comments)
        begin = time.perf_counter()
        post.delete()
        return time.perf_counter() - begin

    # --- the database ------------------------------------------------------------------------------------------------
    def prepare(self, mode: str, posts: int) -> None:
        """Empty the tables, switch to `mode` and write some posts."""
        from content.base.history import triggers

        triggers.drop(self.connection)
        with self.connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table}")
            if self.connection.vendor == "postgresql":
                cursor.execute(f"VACUUM {', '.join(TABLES)}")
        self.switch(mode)
        self.posts = self.Post.objects.bulk_create([self.Post(title="T", body="B") for _ in range(posts)])

    def switch(self, mode: str) -> None:
        from django.db.models import signals

        from content.base.history import Records, triggers

        records = Records()
        records.manager_name = "history"
        for signal, receiver in ((signals.post_save, records.post_save), (signals.post_delete, records.post_delete)):
            signal.disconnect(sender=self.Post, dispatch_uid="bench")
            if mode == "simple-history":
                signal.connect(receiver, sender=self.Post, weak=False, dispatch_uid="bench")
        if mode == "triggers":
            triggers.install(self.connection)
