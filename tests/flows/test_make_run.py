"""`make run` as a new user meets it, without `make` and the installation: real servers, a real worker, a real sync."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.flows.wait import until
from tests.postgres import free_port

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


class Launcher:
    """`python -m tools.run` with data of its own."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.run"],
            cwd=ROOT,
            env={**os.environ, "BACKOFFICE_VAR": str(var), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, text: str) -> list[str]:
        """The lines up to the first that holds `text`; all lines where the launcher ends before."""
        assert self.process.stdout
        killer = threading.Timer(SECONDS, self.process.kill)
        killer.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                break
        killer.cancel()
        return self.lines

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=SECONDS)

    def refusal(self) -> list[str]:
        """All that it said, where it ends by itself."""
        lines = self.read_until("nothing says this")
        assert self.process.wait(timeout=SECONDS) == 1
        return lines


@contextmanager
def launched(var: Path, **environment: str) -> Iterator[Launcher]:
    launcher = Launcher(var, **environment)
    with launcher.process:
        try:
            yield launcher
        finally:
            launcher.stop(signal.SIGTERM)


@pytest.fixture
def ports():
    return {"PORT": str(free_port()), "REMOTE_PORT": str(free_port())}


@pytest.fixture
def browser():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def groups(var: Path) -> list[int]:
    return [int(path.read_text()) for path in (var / "log").glob("*.pid")]


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def password(lines: list[str]) -> str:
    return next(found[1] for line in lines if (found := re.search(r"Password +(.+?) +│", line)))


def log_in(browser: requests.Session, port: str, password: str) -> None:
    page = f"http://127.0.0.1:{port}/admin/login/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(page, timeout=10).text)
    assert token
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
    answer = browser.post(page, data=form, timeout=10, allow_redirects=False)
    assert answer.status_code == 302


def count(browser: requests.Session, port: str, path: str, password: str) -> int:
    url = f"http://127.0.0.1:{port}/api/news/{path}/?count=true&limit=1"
    return int(requests.get(url, auth=("admin", password), timeout=10).json()["count"])


class Orders:
    """The orders of one node, by its API."""

    def __init__(self, port: str, password: str) -> None:
        self.url, self.auth = f"http://127.0.0.1:{port}/api/orders/", ("admin", password)

    def all(self) -> dict[str, dict[str, Any]]:
        """By their ids; without the time of a node's own write."""
        answer = requests.get(self.url, params={"all": "true"}, auth=self.auth, timeout=10)
        return {one["id"]: one | {"updated_at": None} for one in answer.json()}

    def change(self, key: str, values: dict[str, Any]) -> None:
        requests.patch(f"{self.url}{key}/", json=values, auth=self.auth, timeout=10).raise_for_status()


def test_one_command_starts_all_and_ctrl_c_stops_all(tmp_path, ports, browser):
    with launched(tmp_path, **ports) as first:
        lines = first.read_until("└")
        secret = password(lines)
        for port in ports.values():
            assert any(f"http://127.0.0.1:{port}/admin/ " in line for line in lines)
            assert (count(browser, port, "posts", secret), count(browser, port, "comments", secret)) == (100, 500)
            log_in(browser, port, secret)
        # Logging in at the second node did not end the session at the first.
        for port in ports.values():
            page = browser.get(f"http://127.0.0.1:{port}/admin/", timeout=10, allow_redirects=False)
            assert page.status_code == 200
        assert len(groups(tmp_path)) == 4
        assert first.stop() == 0
        assert not any(map(group_lives, groups(tmp_path)))

    with launched(tmp_path, **ports) as second:
        lines = second.read_until("└")
        assert password(lines) == secret
        assert "Writing sample content …" not in lines
        os.kill(int((tmp_path / "log" / "remote.pid").read_text()), signal.SIGTERM)
        assert "The warehouse's web server ended" in second.read_until("ended")[-1]
        assert count(browser, ports["PORT"], "posts", secret) == 100
        assert second.stop(signal.SIGTERM) == 0
        assert not any(map(group_lives, groups(tmp_path)))
    assert (tmp_path / "run.env").stat().st_mode & 0o777 == 0o600


def test_an_order_that_is_edited_at_either_end_is_the_same_at_both(tmp_path, ports):
    with launched(tmp_path, **ports) as launcher:
        secret = password(launcher.read_until("└"))
        store, warehouse = (Orders(port, secret) for port in ports.values())
        assert (len(store.all()), store.all()) == (200, warehouse.all())
        key = next(key for key, one in store.all().items() if one["status"] == "PENDING")
        store.change(key, {"quantity": 4711})
        until(lambda: warehouse.all()[key]["quantity"] == 4711, seconds=SECONDS)
        warehouse.change(key, {"status": "SHIPPED"})
        until(lambda: store.all()[key]["status"] == "SHIPPED", seconds=SECONDS)
        assert store.all() == warehouse.all()
    said = "".join(path.read_text() for path in (tmp_path / "log").glob("*.log"))
    assert "database is locked" not in said
    assert "Traceback" not in said


def test_a_taken_port_is_one_line(tmp_path, ports):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with launched(tmp_path, **{**ports, "REMOTE_PORT": str(port)}) as launcher:
            lines = launcher.refusal()
    assert lines == [f"Port {port} is taken. Choose another: make run REMOTE_PORT={port + 10}"]


@pytest.mark.parametrize("port", ["0", "65536", "web", "²"])
def test_a_port_that_is_none_is_one_line(tmp_path, port):
    with launched(tmp_path, PORT=port) as launcher:
        lines = launcher.refusal()
    assert lines == [f"PORT is '{port}'; a port is a number from 1 to 65535."]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with launched(tmp_path / "file" / "var") as launcher:
        lines = launcher.refusal()
    assert lines == [f"{tmp_path}/file/var can't be made: Not a directory."]
