"""Planting mutants in copies of the project and running the tests that must see them."""

import compileall
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

from tests.mutants.patch import Mutant, MutantError
from tools.lifeline import tied

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".venvs", "var", "__pycache__", ".*_cache", ".hypothesis")
# `--quick`: a law that only slow tests hold is one that `make test` does not hold. `--reuse-db`: migrating would take
# half of the time.
OPTIONS = ("-q", "-rf", "-p", "no:cacheprovider", "--quick", "--reuse-db")
PASSED, FAILED = 0, 1  # pytest's exit status; all others say that it was not the tests that decided
FAILED_TEST = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)  # not ERROR: that is a set-up that broke
TAIL = 15  # lines of pytest's output, shown where something is wrong


class Ending(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    ERROR = "ERROR"


@dataclass(frozen=True, kw_only=True)
class Report:
    """`why`: the test that killed it, or what is wrong."""

    name: str
    ending: Ending
    why: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.ending:8} {self.name} ({self.seconds:.0f} s): {self.why}"


class Runner:
    """Runs mutants, one at a time in each of its copies of `root`.

    Args:
        seconds: after which a run of tests is ended, and counts as an error.
        are_green: whether the tests were just seen to pass where nothing is planted, and need not be run first.
    """

    def __init__(self, *, root: Path, scratch: Path, slots: int, seconds: float, are_green: bool = False) -> None:
        self.seconds, self._are_green = seconds, are_green
        self._root, self._scratch, self._slots = root, scratch, slots
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._running: set[subprocess.Popen[str]] = set()
        for number in range(slots):
            slot = scratch / f"slot{number}"
            shutil.copytree(root, slot, ignore=NOT_COPIED, symlinks=True)
            # Compiled once for all runs; a file is known by its content, so that what is planted counts.
            compileall.compile_dir(slot, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
            self._free.put(slot)

    def run(self, mutants: list[Mutant]) -> Iterator[Report]:
        """One report a mutant, as they come; before them those that say why nothing can be said."""
        with ThreadPoolExecutor(self._slots) as pool:
            try:
                first = [] if self._are_green else _by_database(mutants)
                sound = [report for report in pool.map(self._sound, first) if report]
                yield from sound
                if not sound:
                    yield from pool.map(self.try_one, mutants)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list(self._running):
                    _end(process)
                raise

    def try_one(self, mutant: Mutant) -> Report:
        """Plant it, and see whether the tests that it names fail."""
        began = time.monotonic()
        with self._slot() as folder:
            try:
                with _planted(mutant, folder):
                    status, output = self._pytest(folder, mutant.database, mutant.kills, "-x")
            except MutantError as error:
                return Report(name=mutant.name, ending=Ending.ERROR, why=str(error))
        seconds = time.monotonic() - began
        killer = FAILED_TEST.search(output)
        if status == FAILED and killer:
            return Report(name=mutant.name, ending=Ending.KILLED, why=killer[1], seconds=seconds)
        if status == PASSED:
            why = f"no test sees this: {mutant.fault}"
            return Report(name=mutant.name, ending=Ending.SURVIVED, why=why, seconds=seconds)
        return Report(name=mutant.name, ending=Ending.ERROR, why=_told(status, output), seconds=seconds)

    def _sound(self, tests: tuple[str, set[str]]) -> Report | None:
        """The tests pass where nothing is planted, so that a red one proves something; None: they do."""
        database, names = tests
        with self._slot() as folder:
            status, output = self._pytest(folder, database, sorted(names))
        if status == PASSED:
            return None
        return Report(name=f"(nothing planted, {database})", ending=Ending.ERROR, why=_told(status, output))

    def _pytest(self, folder: Path, database: str, tests: Iterable[str], *options: str) -> tuple[int | None, str]:
        """Its exit status, None if it took too long, and its output."""
        words = ["-m", "pytest", *OPTIONS, "--database", database]
        environment = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",
            "TEST_REPORTS": "",  # what fails there shall fail
            "TEST_VAR": str(folder / "var"),
        }
        if url := environment.get("TEST_DATABASE_URL"):
            environment["TEST_DATABASE_URL"] = f"{url}_{folder.name}"  # two runs can't share one
        process = subprocess.Popen(
            **tied([sys.executable, *words, *options, *tests]),
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._running.add(process)
        try:
            output, _ = process.communicate(timeout=self.seconds)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            _end(process)
            return None, process.communicate()[0]
        finally:
            self._running.discard(process)

    @contextmanager
    def _slot(self) -> Iterator[Path]:
        folder = self._free.get()
        try:
            yield folder
        finally:
            self._free.put(folder)


@contextmanager
def _planted(mutant: Mutant, folder: Path) -> Iterator[None]:
    """The fault is in the copy as long as this lasts."""
    texts = mutant.planted(folder)
    before = {path: path.read_text() for path in texts}
    try:
        for path, text in texts.items():
            path.write_text(text)
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


def _by_database(mutants: list[Mutant]) -> list[tuple[str, set[str]]]:
    tests: dict[str, set[str]] = {}
    for mutant in mutants:
        tests.setdefault(mutant.database, set()).update(mutant.kills)
    return list(tests.items())


def _told(status: int | None, output: str) -> str:
    how = "took too long" if status is None else f"ended with status {status}"
    return "\n".join([f"pytest {how}:", *output.splitlines()[-TAIL:]])


def _end(process: "subprocess.Popen[str]") -> None:
    """With all that it has started: it leads a session of its own."""
    for one in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, one)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue
