"""`manage.py worker`: the queue's cluster under a watchdog, and the chores that find work without a task."""

import logging
import signal
import socket
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from backoffice.kit.database import is_unavailable, limit_statements
from backoffice.kit.idempotency.service import prune as prune_answers
from backoffice.kit.jobs.sweep import sweep as sweep_jobs
from backoffice.kit.sessions.service import prune as prune_sessions
from syncer.engine.alerts import notify
from syncer.engine.wake import sweep, wake_for_news
from syncer.engine.worker import commits
from syncer.engine.worker.loop import Loop
from syncer.engine.worker.sweeps import Sweeps
from syncer.engine.worker.watchdog import SIGNALS, Watchdog
from syncer.reports.workers import trouble_at

log = logging.getLogger("syncer.engine.worker")
CHORES = (sweep_jobs, sweep, notify.sweep, prune_answers, prune_sessions)  # each is short; every host runs all of them
LONGEST = 0.5  # seconds of one wait for a commit: after each, the loop sees whether it is to stop
REST = 60.0  # seconds that a chore rests after a program error


class Command(BaseCommand):
    requires_system_checks = [Tags.models]  # the others load the pages and the API: 30 MB that a worker never needs
    help = "Carry changes to the targets: keeps the queue's workers at work and wakes them for what is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="check that a worker of this host is healthy; exit status 0: one is"
        )
        parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks for what is due")
        parser.add_argument(
            "--heartbeat", type=float, default=30.0, help="seconds of silence after which the cluster is restarted"
        )
        parser.add_argument("--stop", type=float, default=30.0, help="seconds in which what is under way may end")

    def handle(self, *, check: bool, every: float, heartbeat: float, stop: float, **_: object) -> None:
        limit_statements("worker")
        if check:
            _check()
            return
        stopping = threading.Event()
        for number in SIGNALS:
            signal.signal(number, lambda _number, _frame: stopping.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # blocked by a worker that executed itself again
        changes = commits.Commits()

        def wake_for_commits() -> None:
            if changes.wait(LONGEST):
                wake_for_news()

        loops = [
            Loop(Sweeps(Chores(CHORES).do).do, every=every, stop=stopping),
            Loop(Chores([wake_for_commits]).do, every=commits.EVERY, stop=stopping),
        ]
        sys.exit(Watchdog(heartbeat=heartbeat, stop_seconds=stop, stop=stopping, loops=loops).run())


class Chores:
    """Short functions that are called again and again."""

    def __init__(self, chores: Sequence[Callable[[], object]]) -> None:
        self._chores = chores
        self._not_before: dict[Callable[[], object], float] = {}

    def do(self) -> None:
        """Call each chore; log a program error whole, and let its chore rest for REST seconds.

        Such an error must not end the worker: a row that breaks a chore would end the workers of all hosts, repeatedly.

        Raises:
            django.db.Error: the database can't be used now.
        """
        for chore in self._chores:
            if self._not_before.get(chore, 0) > time.monotonic():
                continue
            try:
                chore()
            except Exception as error:
                if is_unavailable(error):
                    raise
                log.exception("%s.%s failed; it rests for %g s", chore.__module__, chore.__qualname__, REST)
                self._not_before[chore] = time.monotonic() + REST


def _check() -> None:
    try:
        trouble = trouble_at(socket.gethostname())
    except Error as error:
        raise CommandError(f"The database can't be asked: {str(error).strip().splitlines()[0]}") from error
    if trouble:
        raise CommandError(trouble)
