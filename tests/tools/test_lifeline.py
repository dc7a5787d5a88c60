"""Nothing outlives whoever started it: trivial processes, killed outright, and what is left looked for in /proc."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.flows.wait import until
from tests.processes import Mark, is_guard, is_resource_tracker, kill
from tools.lifeline import GUARD, tied
from tools.nodes import ROOT
from tools.processes import Processes
from tools.servers import free_port

pytestmark = pytest.mark.sqlite  # it touches no database: once is enough
SECONDS = 60  # an end, not an expectation
STANDS = "import signal; signal.pause()"
DEAF = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {STANDS}"
WITH_A_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STANDS!r}]); {STANDS}"
PER_COMMAND = 3  # itself, its child and the guard
STARTER = """
import signal, subprocess, sys
from pathlib import Path
from tools.lifeline import tied
{fork}
for command in {commands}:
    subprocess.Popen(**tied([sys.executable, "-c", command], folder=Path({folder!r}) if {folder!r} else None))
signal.pause()
"""
FORK = """
import os
if os.fork() == 0:
    signal.pause()
"""


class Starter:
    """A process that starts commands and waits."""

    def __init__(self, *commands: str, folder: str = "", fork: str = "") -> None:
        self.mark = Mark()
        script = STARTER.format(commands=commands, folder=folder, fork=fork)
        environment = {**os.environ, **self.mark.environment}
        self.process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment)

    def wait_for(self, number: int) -> set[int]:
        """Until so many live."""
        until(lambda: len(self.mark.pids()) == number, seconds=SECONDS)
        return self.mark.pids()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def started(*commands: str, folder: str = "", fork: str = "") -> Iterator[Starter]:
    starter = Starter(*commands, folder=folder, fork=fork)
    try:
        yield starter
    finally:
        starter.kill()
        starter.mark.kill()


def leaders(pids: set[int], starter: Starter) -> list[int]:
    """The commands themselves."""
    return sorted(pid for pid in pids if os.getpgid(pid) == pid and pid != starter.process.pid)


def test_nothing_outlives_a_starter_that_is_killed():
    with started(WITH_A_CHILD, WITH_A_CHILD) as starter:
        starter.wait_for(1 + 2 * PER_COMMAND)
        starter.kill()
        starter.wait_for(0)


def test_a_fork_of_the_starter_keeps_nothing_alive():
    with started(WITH_A_CHILD, fork=FORK) as starter:
        starter.wait_for(2 + PER_COMMAND)
        starter.kill()
        starter.wait_for(1)


@pytest.mark.slow
def test_a_command_that_does_not_end_when_it_is_asked_to_is_killed():
    with started(DEAF) as starter:
        starter.wait_for(3)
        starter.kill()
        starter.wait_for(0)


def test_what_a_command_started_ends_with_it_and_the_others_go_on():
    with started(WITH_A_CHILD, WITH_A_CHILD) as starter:
        one, other = leaders(starter.wait_for(1 + 2 * PER_COMMAND), starter)
        kill(one)
        left = starter.wait_for(1 + PER_COMMAND)
        assert {starter.process.pid, other} < left


def test_a_command_whose_guard_is_killed_goes_on():
    with started(WITH_A_CHILD) as starter:
        kill(*filter(is_guard, starter.wait_for(1 + PER_COMMAND)))
        assert leaders(starter.wait_for(PER_COMMAND), starter)


def test_the_folder_goes_too(tmp_path):
    folder = tmp_path / "data"
    (folder / "more").mkdir(parents=True)
    with started(STANDS, folder=str(folder)) as starter:
        starter.wait_for(3)
        starter.kill()
        starter.wait_for(0)
    assert not folder.exists()


def test_a_tied_command_is_otherwise_like_any():
    words = ["sh", "-c", "cat; echo said; grep SigIgn /proc/self/status; exit 7"]
    done = subprocess.run(**tied(words), capture_output=True, text=True, timeout=SECONDS)
    said, ignored = done.stdout.splitlines()
    assert (done.returncode, done.stderr, said) == (7, "", "said")
    assert not int(ignored.split()[1], 16) & 1 << signal.SIGPIPE - 1


def test_the_guard_refuses_to_be_in_a_group_that_it_does_not_lead():
    # In a shell's group, for if it did not refuse it would kill ours.
    words = ["sh", "-c", '"$@"; true', "sh", sys.executable, str(GUARD), "", "", "true"]
    done = subprocess.run(words, capture_output=True, text=True, start_new_session=True)
    assert "must lead a process group" in done.stderr


APP = "def app(environ, start_response): ..."


@pytest.mark.parametrize("which", ["main process", "worker"])
def test_nothing_is_left_of_a_web_server_of_which_one_process_is_killed(tmp_path, which):
    (tmp_path / "trivial.py").write_text(APP)
    mark = Mark()
    environment = {**os.environ, **mark.environment}
    words = ["--interface", "wsgi", "--port", str(free_port()), "--workers-kill-timeout", "3", "trivial:app"]
    with Processes() as processes:
        command = [sys.executable, "-m", "granian", *words]
        log = tmp_path / "web.log"
        processes.start("web", command, environment=environment, folder=tmp_path, log=log)
        until(lambda: processes.ended() or "Started worker-1" in log.read_text(), seconds=SECONDS)
        assert processes.running, log.read_text()
        main = processes.running[0].process.pid
        (worker,) = {pid for pid in mark.at_work() if not is_resource_tracker(pid)} - {main}
        kill(main if which == "main process" else worker)
        until(lambda: not mark.pids(), seconds=SECONDS)
        assert [one.title for one in processes.ended()] == ["web"]


SERVER = """
import signal
from tests import postgres
with postgres.server() as url:
    print(url, flush=True)
    signal.pause()
"""


def test_a_database_server_goes_with_its_pytest_and_its_folder_too():
    with subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        port = starter.stdout.readline().rpartition(":")[2].split("/")[0]
        (socket,) = Path(tempfile.gettempdir()).glob(f"*/.s.PGSQL.{port}")
        starter.kill()
    try:
        until(lambda: not at_work_in(socket.parent), seconds=SECONDS)
        assert not socket.parent.exists()
    finally:
        kill(*at_work_in(socket.parent))


def at_work_in(folder: Path) -> list[int]:
    """The processes whose folder is that one, or in it."""
    found = []
    for one in Path("/proc").iterdir():
        with suppress(OSError):
            if one.name.isdecimal() and (one / "cwd").readlink().is_relative_to(folder):
                found.append(int(one.name))
    return found
