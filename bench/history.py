"""Measure the cost of history: CPU of writes with triggers, with django-simple-history's own recording, and without.

The modes take turns on the same tables, so that other load on the machine affects all alike. The figures are the CPU
time of this process and of the database's, divided by that of a plain Django write.
"""

import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import count
from pathlib import Path

from tests import postgres
from tools.run import say

KINDS = ("sqlite", "postgres")
MODES = ("plain", "simple-history", "triggers")
ROUNDS = 5
SAVES = 300
MANY = 10_000
CHILDREN = 60_000
UPDATE = f"update() of {MANY}"
LIMITS = {"save, new": 2.0, "save, changed": 2.0, f"bulk_create({MANY})": 1.6, UPDATE: 2.5}
# SQLite changes 10,000 rows in 3 ms; a trigger of each row that does nothing takes as long, its INSERT twice as long.
NO_LIMIT = {"sqlite": {UPDATE}, "postgres": set[str]()}
CASCADE_LIMIT = 2.0  # seconds on the clock

Work = Callable[[], None]


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-bench-")))
        kind = sys.argv[1] if len(sys.argv) > 1 else "both"
        if kind == "both":
            return max(
                os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-m", "bench.history", name]) for name in KINDS
            )
        url = f"sqlite:///{folder}/bench.sqlite3" if kind == "sqlite" else stack.enter_context(postgres.server())
        os.environ |= {
            "BACKOFFICE_ENV": "development",
            "BACKOFFICE_VAR": str(folder),
            "DATABASE_URL": url,
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings"
        import django

        django.setup()
        return Bench().run(kind)


class Bench:
    """The benchmark of one database. Mode plain drops the triggers; simple-history connects its signals instead."""

    def __init__(self) -> None:
        from django.core.management import call_command
        from django.db import connection

        from content.news.models import Comment, Post

        call_command("migrate", verbosity=0)
        self.connection, self.Post, self.Comment = connection, Post, Comment
        self.numbers = count(1)
        self.backend = self._backend()

    def run(self, kind: str) -> int:
        say(f"{kind}: CPU against a plain Django write; {ROUNDS} rounds in turns")
        say(f"{'':28}{'simple-history':>16}{'triggers':>10}{'limit':>8}")
        works: dict[str, Work] = {
            "save, new": self.insert,
            "save, changed": self.change,
            f"bulk_create({MANY})": self.bulk_create,
            UPDATE: self.update,
        }
        is_well = True
        for title, work in works.items():
            medians = self.measure(work)
            ratios = {mode: cpu / medians["plain"] for mode, cpu in medians.items()}
            limit = float("inf") if title in NO_LIMIT[kind] else LIMITS[title]
            is_well &= ratios["triggers"] <= limit
            recorded = "-" if work in (self.bulk_create, self.update) else f"{ratios['simple-history']:.1f}"
            say(f"{title:28}{recorded:>16}{ratios['triggers']:10.2f}{limit:8.1f}")
        seconds = {mode: self.cascade(mode) for mode in ("plain", "triggers")}
        clock = ", ".join(f"{mode} {spent:.2f} s" for mode, spent in seconds.items())
        say(f"cascade delete of {CHILDREN}, on the clock: {clock}")
        return 0 if is_well and seconds["triggers"] < CASCADE_LIMIT else 1

    def measure(self, work: Work) -> dict[str, float]:
        """Return the median CPU seconds of a round, by mode."""
        spent: dict[str, list[float]] = {mode: [] for mode in MODES}
        for _ in range(ROUNDS):
            for mode in MODES:
                self.empty()
                self.mode(mode)
                self.prepare(work)
                with self.caused(mode):
                    begin = self.cpu()
                    work()
                    spent[mode].append(self.cpu() - begin)
        return {mode: statistics.median(seconds) for mode, seconds in spent.items()}

    def caused(self, mode: str) -> AbstractContextManager[None]:
        """Return a context in which a signed-in user writes, as in a request."""
        from backoffice.accounts.models import User
        from backoffice.kit.context import Cause, caused_by

        user = User(pk=1, username="editor")
        return nullcontext() if mode == "plain" else caused_by(Cause(user=lambda: user, request_id="a" * 32))

    # --- the works ---------------------------------------------------------------------------------------------------
    def prepare(self, work: Work) -> None:
        number = {self.change: SAVES, self.update: MANY}.get(work, 0)
        self.posts = self.Post.objects.bulk_create([self.Post(title="T", body="B") for _ in range(number)])

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
        self.empty()
        self.mode(mode)
        post = self.Post.objects.create(title="T", body="B")
        comments = ({"post": post, "name": "N", "email": "a@example.com", "body": "B"} for _ in range(CHILDREN))
        self.Comment.objects.bulk_create(self.Comment(**values) for values in comments)
        begin = time.perf_counter()
        post.delete()
        return time.perf_counter() - begin

    # --- the database ------------------------------------------------------------------------------------------------
    def empty(self) -> None:
        from content.base.history import triggers

        triggers.drop(self.connection)
        with self.connection.cursor() as cursor:
            for table in ("news_comment", "news_post", "news_historicalcomment", "news_historicalpost"):
                cursor.execute(f"DELETE FROM {table}")
            if self.connection.vendor == "postgresql":
                cursor.execute("VACUUM news_post, news_comment, news_historicalpost, news_historicalcomment")

    def mode(self, mode: str) -> None:
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

    def _backend(self) -> int:
        if self.connection.vendor != "postgresql":
            return 0
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    def cpu(self) -> float:
        """Return the CPU seconds of this process and of its database server process."""
        own = time.process_time()
        if not self.backend:
            return own
        fields = Path(f"/proc/{self.backend}/stat").read_text().rpartition(")")[2].split()
        return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
