"""An idle node with its worker: the CPU time that it takes, its processes and their memory."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from subprocess import Popen

from bench.cpu import Meter, family, proportional_memory
from bench.harness import Figure, pick
from bench.stage import READY_SECONDS, Server, web
from tests.chaos.workers import READY
from tests.processes import is_guard
from tools.lifeline import tied
from tools.nodes import ROOT

SECONDS = pick(20, 1)
REST = pick(10, 0)  # seconds after the start, in which it still does things once
MOST_CPU = 0.01  # of a core
MOST_MEMORY = 150 * 1_000_000  # bytes


def measure(server: Server, _: Sequence[str]) -> list[Figure]:
    with (
        server.copy(server.migrated()) as database,
        web(server.environment(database)) as (_port, serving),
        worker(server, database) as work,
    ):
        meter = Meter(server, database, [serving, work])
        time.sleep(REST)
        cpu, clock = meter(), time.perf_counter()
        time.sleep(SECONDS)
        share = (meter() - cpu) / (time.perf_counter() - clock)
        processes = [pid for pid in family(serving, work) if not is_guard(pid)]
        memory = proportional_memory(processes)
    beside = {"processes": float(len(processes)), "backends": float(len(meter.backends))}
    return [
        limited("CPU", "% of a core", share * 100, MOST_CPU * 100),
        limited("memory", "MB (PSS)", memory / 1e6, MOST_MEMORY / 1e6, **beside),
    ]


def limited(work: str, unit: str, ours: float, most: float, **beside: float) -> Figure:
    return Figure(
        line="idle",
        work=f"idle node with its worker: {work}",
        against="the limit",
        unit=unit,
        ours=ours,
        rival=most,
        ratio=ours / most,
        goal=1.0,
        at_most=True,
        beside=beside,
    )


@contextmanager
def worker(server: Server, database: str) -> Iterator[int]:
    """Run a worker; yields its process number once it is ready."""
    log = server.folder / "worker.log"
    environment = server.environment(database, LOG_LEVEL="INFO")
    with log.open("wb") as output:
        words = [sys.executable, "manage.py", "worker"]
        process = Popen(**tied(words), cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + READY_SECONDS
        while READY not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)
