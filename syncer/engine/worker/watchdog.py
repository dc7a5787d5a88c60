"""Keeps a cluster of django-q2 at work: `manage.py worker` is this, and `loop.py`'s threads beside it.

A cluster can stop working and look alive: a process that is killed while it waits for a task takes the lock of the
queue along. So only what came through the queue counts; see `core/heartbeat.py` for what is dead, `heartbeat.py` for
what is put on the queue, `cluster.py` for what the cluster's processes say. This thread itself touches no database: it
must see a dead cluster and obey a signal while the database hangs.
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
STARTS = 5  # in a row without a sign of life; then whoever supervises us is to know
PAUSE = 0.25  # seconds before the next start; after starts without a sign of life 0.5, 1, 2, 4
END_SECONDS = 5  # to take our rows away, unless the database hangs
RESERVE = 60  # seconds beyond the queue's time-out, in which django-q2 ends a task
PIPE_SIZE = 65536  # bytes, Linux; all that can wait in it


class Cluster:
    """One start of it: its processes, in a group of their own, and what they say."""

    def __init__(self, key: str, heartbeat: float) -> None:
        queue = settings.Q_CLUSTER
        self.pulse = HeartbeatMonitor(workers=queue["workers"], heartbeat=heartbeat, longest=queue["timeout"] + RESERVE)
        self._looked_at = time.monotonic()
        self._pipe, writer = os.pipe()
        os.set_blocking(writer, False)
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, sys.argv[0], "qcluster", "--skip-checks"],  # which are of what this process has checked
            env={**os.environ, VARIABLE: f"{os.getpid()} {writer} {key}"},
            pass_fds=[writer],
            process_group=0,
        )
        os.close(writer)

    def look(self, *, is_asked: bool) -> None:
        """Hear what is said within a tick."""
        ready, _, _ = select.select([self._pipe], [], [], TICK)
        said = os.read(self._pipe, PIPE_SIZE).decode() if ready else ""
        self.pulse.hear(said.split())
        now = time.monotonic()
        self.pulse.wait(now - self._looked_at, is_asked=is_asked, lives=_lives)
        self._looked_at = now

    @property
    def trouble(self) -> str:
        """Why it is of no use any more; empty: it is."""
        if self._process.poll() is not None:
            return f"exited with status {self._process.returncode}"
        return f"took no heartbeat for {self.pulse.heartbeat:g} s" if self.pulse.is_dead else ""

    def stop(self, seconds: float) -> None:
        """Let it end what it is at."""
        self._process.terminate()
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            log.warning("the queue's cluster did not end within %g s and is killed", seconds)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._pipe)


class Watchdog:
    """Runs in the main thread of the process. Starts and watches `loops` too."""

    def __init__(self, *, heartbeat: float, stop_seconds: float, stop: threading.Event, loops: Sequence[Loop]) -> None:
        self._heartbeat, self._stop_seconds, self._stop = heartbeat, stop_seconds, stop
        self._beats = Heartbeats()
        self._heart = Loop(self._beats.next, every=heartbeat / 6, stop=stop, last=self._beats.end)
        self._loops = [*loops, self._heart]

    def run(self) -> int:
        """Run until asked to stop; the exit status: not 0 where whoever supervises us must help."""
        for loop in self._loops:
            loop.start()
        try:
            return self._keep()
        finally:
            self._stop.set()
            self._heart.join(timeout=END_SECONDS)

    def _keep(self) -> int:
        failed = 0  # starts in a row
        while True:
            cluster = Cluster(self._beats.key, self._heartbeat)
            try:
                trouble = self._watch(cluster)
            finally:
                cluster.kill()
            if self._stop.is_set():
                return 0
            log.error("the queue's cluster %s", trouble)
            failed = 0 if cluster.pulse.has_heartbeat else failed + 1
            if failed == STARTS or self._ill_loop:
                return 1
            self._beats.restarts += 1
            self._stop.wait(PAUSE * 2**failed)

    def _watch(self, cluster: Cluster) -> str:
        """Watch until the cluster has to end, and say why; empty: we were asked to stop."""
        while not self._stop.is_set():
            cluster.look(is_asked=self._beats.are_put(within=self._heartbeat / 2))
            self._beats.silent = max(0.0, cluster.pulse.silent) if cluster.pulse.has_heartbeat else None
            if trouble := cluster.trouble:
                return trouble
            if self._ill_loop:
                faulthandler.dump_traceback()
                return f"was stopped: background thread “{self._ill_loop}” failed or hangs, see the stacks above"
        cluster.stop(self._stop_seconds)
        return ""

    @property
    def _ill_loop(self) -> str:
        """The name of a loop that failed or hangs; empty: none, or we were asked to stop."""
        ill = next((loop.name for loop in self._loops if not loop.is_healthy), "")
        return "" if self._stop.is_set() else ill


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
