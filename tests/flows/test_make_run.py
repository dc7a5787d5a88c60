"""`make run` as a new user meets it, without `make` and the installation: real servers, a real worker, a real sync."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from bench.admin import Admin
from tests.flows.wait import SECONDS, until
from tests.processes import Mark
from tools.lifeline import tied
from tools.servers import free_port

pytestmark = pytest.mark.sqlite
ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "tools.run"]
HTTP_SECONDS = 60  # also an end
NODES, SERVICES = 2, 4


class Launcher:
    """`python -m tools.run` with data of its own; `command` is what stands in for it."""

    def __init__(self, var: Path, command: list[str], /, **environment: str) -> None:
        self.var, self.lines = var, list[str]()
        self.mark = Mark()
        # Its output is buffered, as it is for people, also where the tests' own is not.
        own = {"BACKOFFICE_VAR": str(var), "PYTHONUNBUFFERED": "", **self.mark.environment}
        self.process = subprocess.Popen(
            **tied(command),
            cwd=ROOT,
            env={**os.environ, **own, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, text: str) -> list[str]:
        """The lines up to the first that holds `text`.

        Raises:
            AssertionError: it ended before, or was ended since it took too long.
        """
        assert self.process.stdout
        killer = threading.Timer(SECONDS, self.process.kill)
        killer.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                break
        else:
            raise AssertionError("\n".join(self.lines))
        killer.cancel()
        return self.lines

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=SECONDS)

    def refusal(self) -> list[str]:
        """All that it said, where it ends by itself."""
        said, _ = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 1
        return said.splitlines()

    def at_work(self) -> set[int]:
        """All that it started, and what these started, but for what guards them."""
        return self.mark.at_work() - {self.process.pid}

    def leader(self, name: str) -> int:
        """The first process of the service that logs to `{name}.log`."""
        return int((self.var / "log" / f"{name}.pid").read_text())

    def service(self, name: str) -> set[int]:
        return {pid for pid in self.at_work() if os.getsid(pid) == self.leader(name)}

    def whole_service(self, log: str) -> set[int]:
        """The processes of a service, as soon as its first one has started others."""
        until(lambda: len(self.service(log)) > 1)
        return self.service(log)

    def wait_until_gone(self, pids: set[int]) -> None:
        until(lambda: not pids & self.at_work())

    def wait_until_nothing_is_left(self) -> None:
        until(lambda: not self.mark.pids())


@contextmanager
def launched(var: Path, command: list[str] = RUN, /, **environment: str) -> Iterator[Launcher]:
    launcher = Launcher(var, command, **environment)
    with launcher.process:
        try:
            yield launcher
        finally:
            launcher.process.kill()
            launcher.mark.kill()


def new_ports() -> dict[str, str]:
    return {"PORT": str(free_port()), "REMOTE_PORT": str(free_port())}


@pytest.fixture
def ports():
    return new_ports()


def password(lines: list[str]) -> str:
    return next(found[1] for line in lines if (found := re.search(r"Password +(.+?) +│", line)))


def count(port: str, path: str, password: str) -> int:
    url = f"http://127.0.0.1:{port}/api/news/{path}/?count=true&limit=1"
    return int(requests.get(url, auth=("admin", password), timeout=HTTP_SECONDS).json()["count"])


class Orders:
    """The orders of one node, by its API."""

    def __init__(self, port: str, password: str) -> None:
        self.url, self.auth = f"http://127.0.0.1:{port}/api/orders/", ("admin", password)

    def all(self) -> dict[str, dict[str, Any]]:
        """By their ids; without the time of a node's own write."""
        answer = requests.get(self.url, params={"all": "true"}, auth=self.auth, timeout=HTTP_SECONDS)
        return {one["id"]: one | {"updated_at": None} for one in answer.json()}

    def change(self, key: str, values: dict[str, Any]) -> None:
        requests.patch(f"{self.url}{key}/", json=values, auth=self.auth, timeout=HTTP_SECONDS).raise_for_status()


class First:
    """The first start, which the tests below share, and its box."""

    def __init__(self, launcher: Launcher, ports: dict[str, str]) -> None:
        self.launcher, self.ports, self.lines = launcher, ports, list(launcher.read_until("└"))
        self.password = password(self.lines)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Running, until a test stops it."""
    ports = new_ports()
    with launched(tmp_path_factory.mktemp("run") / "var", **ports) as launcher:
        yield First(launcher, ports)


@pytest.mark.slow
def test_one_command_starts_all(first):
    browser = requests.Session()
    assert "Writing sample content …" in first.lines
    for port in first.ports.values():
        assert any(f"http://127.0.0.1:{port}/admin/ " in line for line in first.lines)
        assert [count(port, path, first.password) for path in ("posts", "comments")] == [100, 500]
        Admin(f"http://127.0.0.1:{port}", "admin", first.password, http=browser)
    # Logging in at the second node did not end the session at the first.
    for port in first.ports.values():
        page = browser.get(f"http://127.0.0.1:{port}/admin/", timeout=HTTP_SECONDS, allow_redirects=False)
        assert page.status_code == 200
    assert len(list((first.launcher.var / "log").glob("*.pid"))) == SERVICES
    assert (first.launcher.var / "run.env").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(first.launcher.var / "backoffice.sqlite3")) as store:
        assert store.execute("SELECT message FROM syncer_run WHERE state <> 'done'").fetchall() == []


@pytest.mark.slow
def test_an_order_that_is_edited_at_either_end_is_the_same_at_both(first):
    store, warehouse = (Orders(port, first.password) for port in first.ports.values())
    assert (len(store.all()), store.all()) == (200, warehouse.all())
    key = next(key for key, one in store.all().items() if one["status"] == "PENDING")
    store.change(key, {"quantity": 4711})
    until(lambda: warehouse.all()[key]["quantity"] == 4711)
    warehouse.change(key, {"status": "SHIPPED"})
    until(lambda: store.all()[key]["status"] == "SHIPPED")
    assert store.all() == warehouse.all()


@pytest.mark.slow
def test_ctrl_c_stops_all_and_a_second_start_keeps_the_data_and_survives_its_services(first):
    var = first.launcher.var
    assert first.launcher.stop() == 0
    assert not first.launcher.at_work()
    said = "".join(path.read_text() for path in (var / "log").glob("*.log"))
    assert "database is locked" not in said
    assert "Traceback" not in said

    with launched(var, **first.ports) as second:
        lines = second.read_until("└")
        assert password(lines) == first.password
        assert "Writing sample content …" not in lines
        for log, title in (("remote", "The warehouse's web server"), ("remote-worker", "The warehouse's worker")):
            of_it = second.whole_service(log)
            os.kill(second.leader(log), signal.SIGKILL)
            assert f"{title} ended" in second.read_until("ended")[-1]
            second.wait_until_gone(of_it)
        assert count(first.ports["PORT"], "posts", first.password) == 100
        assert all(map(second.whole_service, ("web", "worker")))
        second.process.kill()
        second.wait_until_nothing_is_left()


# --- while it prepares the databases ---------------------------------------------------------------------------------
# As `make` does, in place of which it stands; in a session of its own, for what is tied takes its group along.
MAKE = [sys.executable, "-c", f"import subprocess; subprocess.run({RUN}, start_new_session=True)"]
ENDS: dict[str, Callable[[Launcher], object]] = {
    "killed": lambda launcher: launcher.process.kill(),
    "its output is not read any more": lambda launcher: launcher.process.stdout and launcher.process.stdout.close(),
    "SIGTERM": lambda launcher: launcher.process.terminate(),
}


@pytest.mark.parametrize("how", ENDS)
def test_nothing_is_left_of_a_start_that_is_ended(tmp_path, ports, how):
    with launched(tmp_path, **ports) as launcher:
        until(lambda: len(launcher.at_work()) == NODES)
        ENDS[how](launcher)
        launcher.wait_until_nothing_is_left()
        assert launcher.process.wait() == (-signal.SIGKILL if how == "killed" else 0)


@pytest.mark.slow
def test_commands_that_stand_still_do_not_outlive_a_start_that_is_killed(tmp_path, ports):
    with launched(tmp_path, **ports) as launcher:
        until(lambda: len(launcher.mark.pids()) == 2 * (1 + NODES))  # each with its guard
        for pid in launcher.at_work():
            os.kill(pid, signal.SIGSTOP)
        launcher.process.kill()
        launcher.wait_until_nothing_is_left()


def test_nothing_is_left_when_make_is_killed(tmp_path, ports):
    with launched(tmp_path, MAKE, **ports) as make:
        until(lambda: len(make.at_work()) == 1 + NODES)
        make.process.kill()
        make.wait_until_nothing_is_left()


def test_a_command_that_is_killed_ends_the_start(tmp_path, ports):
    with launched(tmp_path, **ports) as launcher:
        until(lambda: len(launcher.at_work()) == NODES)
        os.kill(launcher.at_work().pop(), signal.SIGKILL)
        assert re.fullmatch("manage.py failed on the node '(store|warehouse)': it said nothing", launcher.refusal()[-1])
        launcher.wait_until_nothing_is_left()


# --- what is refused -------------------------------------------------------------------------------------------------
def test_a_taken_port_is_one_line(tmp_path, ports):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with launched(tmp_path, **{**ports, "REMOTE_PORT": str(port)}) as launcher:
            lines = launcher.refusal()
    assert lines == [f"Port {port} is taken. Choose another: make run REMOTE_PORT={port + 10}"]


@pytest.mark.parametrize("port", ["0", "65536", "web", "²"])
def test_an_invalid_port_is_refused_in_one_line(tmp_path, port):
    with launched(tmp_path, PORT=port) as launcher:
        lines = launcher.refusal()
    assert lines == [f"PORT is '{port}'; a port is a number from 1 to 65535."]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with launched(tmp_path / "file" / "var") as launcher:
        lines = launcher.refusal()
    assert lines == [f"{tmp_path}/file/var can't be made: Not a directory."]
