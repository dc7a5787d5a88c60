"""The cluster's side of the watchdog: what runs in each process of django-q2's cluster; see `watchdog.py`.

Each process reports its tasks through a pipe, and is killed when its parent ends, so that no process of a cluster
outlives its watchdog, main process or sentinel for more than a moment. This needs each process to be a fork of the
process that started it, which a fork server's are not: the settings choose the start method.
"""

import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass

from django_q.signals import post_execute, post_execute_in_worker, pre_execute

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


def join(watch: Watch) -> None:
    """Report to the watchdog, which has just forked this process, from now on; so do the processes that it forks."""
    global _watch
    _watch = watch
    _forked()
    os.register_at_fork(after_in_child=_forked)
    pre_execute.connect(_task_began)
    post_execute_in_worker.connect(_task_ended)
    post_execute.connect(_finished)


def own_key() -> str:
    """Return the key under which this cluster's heartbeats are queued; empty: no watchdog started it."""
    return _watch.key if _watch else ""


def heartbeat() -> None:
    """Do nothing: that this task was done is the sign of life."""


def is_worth_logging(record: logging.LogRecord) -> bool:
    """Filter out django-q2's log lines for each heartbeat that succeeds."""
    return record.levelno > logging.INFO or PREFIX not in record.getMessage()


def _forked() -> None:
    global _pid
    parent, _pid = _pid, os.getpid()
    _end_with(parent)


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however it ends. Linux only: elsewhere orphans go on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent ended before the call above
            os.kill(os.getpid(), signal.SIGKILL)


def _task_began(**_: object) -> None:
    _report(f"+{os.getpid()}")


def _task_ended(**_: object) -> None:
    _report(f"-{os.getpid()}")


def _finished(**_: object) -> None:
    """Report a finished task, in the monitor, once its row is off the queue."""
    _report("!")


def _report(message: str) -> None:
    """Write to the pipe, never waiting or failing. A watchdog that hangs reads a later report; without one, we end."""
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(_watch.pipe if _watch else -1, f"{message}\n".encode())
