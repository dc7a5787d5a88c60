"""The health check of the web server's container."""

import os
import re
import signal
import subprocess
import sys

import pytest

from backoffice.web.command import words
from deploy import healthcheck
from tests.deploy.tools import ROOT


@pytest.fixture
def ended(monkeypatch, tmp_path):
    """The signals that were sent; the check's file is the test's own."""
    monkeypatch.setattr(healthcheck, "MISSED", tmp_path / "missed")
    sent = []
    monkeypatch.setattr(os, "kill", lambda *words: sent.append(words))
    return sent


@pytest.fixture
def web_server(monkeypatch):
    """The number of a process that looks like the web server's, the only one of its name."""
    name = "a-web-server-of-a-test:application"
    monkeypatch.setattr(healthcheck, "APPLICATION", name.encode())
    with subprocess.Popen([sys.executable, "-c", "input()", name], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate(b"\n")


def test_the_name_that_ends_is_that_of_the_web_server():
    assert healthcheck.APPLICATION.decode() == words()[-1]


def test_docker_waits_for_a_check_that_waits_for_both_answers_on_a_busy_machine():
    """One that Docker cuts short counts nothing, so that what hangs would go on for ever."""
    timeout = re.search(r"--timeout=(\d+)s .*\n?.*healthcheck.py", (ROOT / "Dockerfile").read_text())
    assert timeout
    assert int(timeout[1]) >= 2 * healthcheck.SECONDS + 10


def check(monkeypatch, *down):
    monkeypatch.setattr(healthcheck, "ask", lambda name: "refused" if name in down else "")
    return healthcheck.main()


def test_what_is_not_ready_is_unhealthy_and_goes_on(ended, monkeypatch):
    assert check(monkeypatch) == 0
    assert [check(monkeypatch, "ready") for _ in range(5)] == [1] * 5
    assert ended == []


def test_what_hangs_is_ended(ended, web_server, monkeypatch):
    check(monkeypatch)
    check(monkeypatch, "ready", "live")
    check(monkeypatch, "ready")
    assert [check(monkeypatch, "ready", "live") for _ in range(2)] == [1, 1]
    assert ended == []
    assert check(monkeypatch, "ready", "live") == 1
    assert ended == [(web_server, signal.SIGKILL)]


def test_what_has_not_answered_yet_may_take_its_time(ended, monkeypatch):
    assert [check(monkeypatch, "ready", "live") for _ in range(9)] == [1] * 9
    assert ended == []
