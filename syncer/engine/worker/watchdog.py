"""Restart a cluster of django-q2 that stops working: `manage.py worker` is this, with threads of `loop.py`.

A cluster can stop working and look alive: a process that is killed while it waits for a task keeps the lock of the
queue. So only tasks that went through the whole queue count. `core/heartbeat.py` decides when a cluster is dead,
`heartbeat.py` queues the heartbeats, and `cluster.py` reports from the cluster's processes. This thread itself uses no
database: it must detect a dead cluster and obey a signal while the database hangs.
"""

import faulthandler
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from django.conf import settings

from syncer.core.heartbeat import HeartbeatMonitor
from syncer.engine.worker.cluster import VARIABLE
from syncer.engine.worker.heartbeat import Heartbeats
from syncer.engine.worker.loop import Loop

log = logging.getLogger("syncer.engine.worker")
TICK = 0.2  # seconds
STARTS = 5  # in a row without a sign of life; then the worker exits, so that its supervisor knows
PAUSE = 0.25  # seconds before the next start; after starts without a sign of life 0.5, 1, 2, 4
END_SECONDS = 5  # seconds to delete our rows in; they stay if the database hangs
RESERVE = 60  # seconds after the queue's time-out in which django-q2 ends a task
PIPE_SIZE = 65536  # bytes; the capacity of a pipe on Linux


class Cluster:
    """One start of the cluster: its processes, in a process group of their own, and their reports."""

    def __init__(self, key: str, heartbeat: float) -> None:
        queue = settings.Q_CLUSTER
        self.monitor = HeartbeatMonitor(
            workers=queue["workers"], heartbeat=heartbeat, longest=queue["timeout"] + RESERVE
        )
        self._read_at = time.monotonic()
        self._pipe, writer = os.pipe()
        os.set_blocking(writer, False)
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, sys.argv[0], "qcluster", "--skip-checks"],  # this process has run the checks
            env={**os.environ, VARIABLE: f"{os.getpid()} {writer} {key}"},
            pass_fds=[writer],
            process_group=0,
        )
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
        if self._process.poll() is not None:
            return f"exited with status {self._process.returncode}"
        return f"took no heartbeat for {self.monitor.heartbeat:g} s" if self.monitor.is_dead else ""

    def stop(self, seconds: float) -> None:
        """Ask the cluster to end, and give it `seconds` to finish its tasks."""
        self._process.terminate()
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            log.warning("the queue's cluster did not end within %g s and is killed", seconds)

    def kill(self) -> None:
        """Kill every process of the cluster and close the pipe."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._pipe)


class Watchdog:
    """Runs a cluster from the main thread of the process, and starts and watches `loops`."""

    def __init__(self, *, heartbeat: float, stop_seconds: float, stop: threading.Event, loops: Sequence[Loop]) -> None:
        self._heartbeat, self._stop_seconds, self._stop = heartbeat, stop_seconds, stop
        self._heartbeats = Heartbeats()
        self._heartbeat_loop = Loop(self._heartbeats.next, every=heartbeat / 6, stop=stop, last=self._heartbeats.end)
        self._loops = [*loops, self._heartbeat_loop]

    def run(self) -> int:
        """Run until asked to stop; return the exit status, not 0 if the supervisor has to restart the worker."""
        for loop in self._loops:
            loop.start()
        try:
            return self._run_clusters()
        finally:
            self._stop.set()
            self._heartbeat_loop.join(timeout=END_SECONDS)

    def _run_clusters(self) -> int:
        failed = 0  # starts in a row
        while True:
            cluster = Cluster(self._heartbeats.key, self._heartbeat)
            try:
                trouble = self._watch(cluster)
            finally:
                cluster.kill()
            if self._stop.is_set():
                return 0
            log.error("the queue's cluster %s", trouble)
            failed = 0 if cluster.monitor.has_heartbeat else failed + 1
            if failed == STARTS or self._unhealthy_loop:
                return 1
            self._heartbeats.restarts += 1
            self._stop.wait(PAUSE * 2**failed)

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
