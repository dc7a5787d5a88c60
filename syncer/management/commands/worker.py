"""`manage.py worker`: django-q2's cluster, and the sweep that finds what no task asked for."""

import logging
import signal
import subprocess
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections

from backoffice.kit.idempotency.service import prune as prune_answers
from backoffice.kit.jobs.sweep import sweep as sweep_jobs
from syncer import notify, silent
from syncer.wake import sweep

log = logging.getLogger("syncer.worker")
STOP_SECONDS = 30  # what a slice may take to end
CHORES = (sweep_jobs, sweep, notify.sweep, silent.sweep, prune_answers)  # each is short, and alike on every host


class Command(BaseCommand):
    help = "Carry changes to the targets: runs the queue's workers and wakes them for what is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks for what is due")

    def handle(self, *args: Any, every: float, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        # In our own process group: whoever kills the group kills the cluster too.
        cluster = subprocess.Popen([sys.executable, sys.argv[0], "qcluster"])  # noqa: S603
        try:
            while not stop.wait(every) and cluster.poll() is None:
                _sweep()
        finally:
            _end(cluster)
        if not stop.is_set():
            log.error("the queue's cluster ended by itself with status %s", cluster.returncode)
            sys.exit(1)


def _sweep() -> None:
    try:
        for chore in CHORES:
            chore()
    except (OperationalError, InterfaceError):
        log.warning("the database can't be reached; trying again", exc_info=True)
    finally:
        close_old_connections()


def _end(cluster: "subprocess.Popen[bytes]") -> None:
    cluster.send_signal(signal.SIGTERM)
    try:
        cluster.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        cluster.kill()
        cluster.wait()
