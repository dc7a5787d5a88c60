"""What each process of django-q2's cluster does for the watchdog that started it; see `watchdog.py`.

It says through a pipe what it is at, and ends when its parent does: each process watches the one that made it, so that
nothing is left of a cluster a moment after any of watchdog, main process or sentinel is gone. For that each process
must be a fork of the one that made it, which a fork server would not be: the settings choose the start method.
"""

import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django_q.signals import post_execute, post_execute_in_worker, pre_execute

VARIABLE = "BACKOFFICE_WATCHDOG"  # `PID PIPE KEY` of the watchdog, for its cluster only
HEARTBEAT = "syncer.engine.worker.cluster.heartbeat"
PREFIX = "heartbeat:"  # of the keys under which heartbeats are queued
PR_SET_PDEATHSIG = 1  # linux/prctl.h; cleared in a fork's child


@dataclass(frozen=True, kw_only=True)
class Watch:
    """The pipe's writing end, and the key of the heartbeats that are for this cluster."""

    pipe: int
    key: str


_watch: Watch | None = None
_pid = os.getpid()


def join() -> None:
    """Called in each process that starts; the cluster's others are forks of the one that finds the variable."""
    global _watch, _pid
    logging.getLogger("django-q").addFilter(_is_news)
    if given := os.environ.pop(VARIABLE, ""):
        watchdog, pipe, key = given.split()
        _watch, _pid = Watch(pipe=int(pipe), key=key), os.getpid()
        _end_with(int(watchdog))
        os.register_at_fork(after_in_child=_forked)
        pre_execute.connect(_began)
        post_execute_in_worker.connect(_ended)
        post_execute.connect(_came_through)


def own_key() -> str:
    """Under which this cluster's heartbeats are queued; empty: no watchdog started it."""
    return _watch.key if _watch else ""


def heartbeat() -> None:
    """The task: that it was done is all."""


def _is_news(record: logging.LogRecord) -> bool:
    """Not three lines in the log every few seconds, for each heartbeat that is well."""
    return record.levelno > logging.INFO or PREFIX not in record.getMessage()


def _forked() -> None:
    global _pid
    parent, _pid = _pid, os.getpid()
    _end_with(parent)


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, by whatever. Linux only: elsewhere orphans work on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we said so
            os.kill(os.getpid(), signal.SIGKILL)


def _began(**_: Any) -> None:
    _say(f"+{os.getpid()}")


def _ended(**_: Any) -> None:
    _say(f"-{os.getpid()}")


def _came_through(**_: Any) -> None:
    """In the monitor, once the task's row is off the queue."""
    _say("!")


def _say(message: str) -> None:
    """Never waits, never fails: a watchdog that stands still will hear the next; without one, we are about to end."""
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(_watch.pipe if _watch else -1, f"{message}\n".encode())
