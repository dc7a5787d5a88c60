"""Restart a cluster of django-q2 that stops working: `manage.py worker` is this, with threads of `loop.py`.

A cluster can stop working and look alive: a process that is killed while it waits for a task keeps the lock of the
queue. So only tasks that went through the whole queue count. `core/heartbeat.py` decides when a cluster is dead,
`heartbeat.py` queues the heartbeats, and `cluster.py` reports from the cluster's processes. This thread itself uses no
database: it must detect a dead cluster and obey a signal while the database hangs.
"""

import faulthandler
import gc
import logging
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Never, Self
from uuid import UUID, uuid4

from django.conf import settings
from django.core.management import call_command

from syncer.core.heartbeat import HeartbeatMonitor
from syncer.engine.worker.cluster import Watch, is_worth_logging, join
from syncer.engine.worker.heartbeat import Heartbeats
from syncer.engine.worker.loop import Loop

log = logging.getLogger("syncer.engine.worker")
VARIABLE = "BACKOFFICE_WORKER"  # what a worker that executes itself again hands on
SIGNALS = (signal.SIGTERM, signal.SIGINT)  # to stop
TICK = 0.2  # seconds
STARTS = 5  # in a row without a sign of life; then the worker exits, so that its supervisor knows
PAUSE = 0.25  # seconds before the next start; after starts without a sign of life 0.5, 1, 2, 4
END_SECONDS = 5  # seconds to delete our rows in; they stay if the database hangs
RESERVE = 60  # seconds after the queue's time-out in which django-q2 ends a task
PIPE_SIZE = 65536  # bytes; the capacity of a pipe on Linux


class Cluster:
    """One start of the cluster: its processes, in a process group of their own, and their reports.

    The main process is a fork, so that all share the memory of the program's modules: it is made while this process has
    no other thread, whose locks the fork would inherit, and no connection to the database.
    """

    def __init__(self, key: str, heartbeat: float) -> None:
        queue = settings.Q_CLUSTER
        self.monitor = HeartbeatMonitor(
            workers=queue["workers"], heartbeat=heartbeat, longest=queue["timeout"] + RESERVE
        )
        self._read_at = time.monotonic()
        self._pipe, writer = os.pipe()
        os.set_blocking(writer, False)
        gc.collect()
        gc.freeze()  # else the first collection of each process would write to, and so copy, all pages
        self._process = multiprocessing.Process(target=_run_cluster, args=[Watch(pipe=writer, key=key)])
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.close(writer)

    def read_reports(self, *, is_asked: bool) -> None:
        """Read the reports of one tick, and count its seconds.

        Args:
            is_asked: whether a heartbeat was on the queue, so that silence counts.
        """
        ready, _, _ = select.select([self._pipe], [], [], TICK)
        reports = os.read(self._pipe, PIPE_SIZE).decode() if ready else ""
        self.monitor.hear(reports.split())
        now = time.monotonic()
        self.monitor.wait(now - self._read_at, is_asked=is_asked, lives=_exists)
        self._read_at = now

    @property
    def trouble(self) -> str:
        """Why the cluster has to be replaced, as a predicate; empty: it works."""
        if self._process.exitcode is not None:
            return f"exited with status {self._process.exitcode}"
        return f"took no heartbeat for {self.monitor.heartbeat:g} s" if self.monitor.is_dead else ""

    def stop(self, seconds: float) -> None:
        """Ask the cluster to end, and give it `seconds` to finish its tasks."""
        self._process.terminate()
        self._process.join(seconds)
        if self._process.is_alive():
            log.warning("the queue's cluster did not end within %g s and is killed", seconds)

    def kill(self) -> None:
        """Kill every process of the cluster and close the pipe."""
        self._process.kill()  # it may not lead its group yet
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.join()
        os.close(self._pipe)


def _run_cluster(watch: Watch) -> None:
    """Be the cluster's main process, in the fork."""
    os.setpgid(0, 0)
    for number in SIGNALS:  # until django-q2 sets handlers of its own
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    join(watch)
    call_command("qcluster", skip_checks=True)  # the watchdog has run the checks


@dataclass(frozen=True)
class EarlierStarts:
    """What this worker knows of the clusters that it had before; handed on in its environment."""

    id: UUID  # of the worker
    restarts: int = 0
    failed: int = 0  # starts in a row without a sign of life

    @classmethod
    def of_this_process(cls) -> Self:
        given = os.environ.pop(VARIABLE, "").split()
        return cls(UUID(given[0]), int(given[1]), int(given[2])) if given else cls(uuid4())

    def start_again(self) -> Never:
        """Execute the worker again in this process, with its command line; a signal to stop waits until it can obey."""
        os.environ[VARIABLE] = f"{self.id} {self.restarts} {self.failed}"
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606


class Watchdog:
    """Runs a cluster from the main thread of the process, and starts and watches `loops`."""

    def __init__(self, *, heartbeat: float, stop_seconds: float, stop: threading.Event, loops: Sequence[Loop]) -> None:
        self._heartbeat, self._stop_seconds, self._stop = heartbeat, stop_seconds, stop
        self._earlier = EarlierStarts.of_this_process()
        self._heartbeats = Heartbeats(self._earlier.id, self._earlier.restarts)
        self._heartbeat_loop = Loop(self._heartbeats.next, every=heartbeat / 3, stop=stop, last=self._heartbeats.end)
        self._loops = [*loops, self._heartbeat_loop]

    def run(self) -> int:
        """Run until asked to stop; return the exit status, not 0 if the supervisor has to restart the worker.

        A dead cluster is replaced by executing the worker again in this process, because only a process without other
        threads can fork the next cluster.
        """
        logging.getLogger("django-q").addFilter(is_worth_logging)
        cluster = Cluster(self._heartbeats.key, self._heartbeat)
        try:
            for loop in self._loops:
                loop.start()
            try:
                trouble = self._watch(cluster)
            finally:
                cluster.kill()
            if self._stop.is_set():
                return 0
            log.error("the queue's cluster %s", trouble)
            failed = 0 if cluster.monitor.has_heartbeat else self._earlier.failed + 1
            if failed == STARTS or self._unhealthy_loop:
                return 1
            if not self._stop.wait(PAUSE * 2**failed):
                EarlierStarts(self._heartbeats.id, self._heartbeats.restarts + 1, failed).start_again()
            return 0
        finally:
            self._stop.set()
            self._heartbeat_loop.join(timeout=END_SECONDS)

    def _watch(self, cluster: Cluster) -> str:
        """Watch the cluster until it has to end; return why, or empty if we were asked to stop."""
        while not self._stop.is_set():
            cluster.read_reports(is_asked=self._heartbeats.are_put(within=self._heartbeat / 2))
            monitor = cluster.monitor
            self._heartbeats.silent = max(0.0, monitor.silent) if monitor.has_heartbeat else None
            if trouble := cluster.trouble:
                return trouble
            if self._unhealthy_loop:
                faulthandler.dump_traceback()
                return f"was stopped: background thread “{self._unhealthy_loop}” failed or hangs, see the stacks above"
        cluster.stop(self._stop_seconds)
        return ""

    @property
    def _unhealthy_loop(self) -> str:
        """The name of a loop that failed or hangs; empty: none, or we were asked to stop."""
        unhealthy = next((loop.name for loop in self._loops if not loop.is_healthy), "")
        return "" if self._stop.is_set() else unhealthy


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
