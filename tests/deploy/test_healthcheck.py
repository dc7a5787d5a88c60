"""The health check of the web server's container."""

import os
import signal

import pytest

from deploy import healthcheck


@pytest.fixture
def ended(monkeypatch, tmp_path):
    """The signals that were sent; the check's file is the test's own."""
    monkeypatch.setattr(healthcheck, "MISSED", tmp_path / "missed")
    sent = []
    monkeypatch.setattr(os, "kill", lambda *words: sent.append(words))
    return sent


def check(monkeypatch, *down):
    monkeypatch.setattr(healthcheck, "ask", lambda name: "refused" if name in down else "")
    return healthcheck.main()


def test_what_is_not_ready_is_unhealthy_and_goes_on(ended, monkeypatch):
    assert check(monkeypatch) == 0
    assert [check(monkeypatch, "ready") for _ in range(5)] == [1] * 5
    assert ended == []


def test_what_hangs_is_ended(ended, monkeypatch):
    check(monkeypatch)
    check(monkeypatch, "ready", "live")
    check(monkeypatch, "ready")
    assert [check(monkeypatch, "ready", "live") for _ in range(2)] == [1, 1]
    assert ended == []
    assert check(monkeypatch, "ready", "live") == 1
    assert ended == [(-1, signal.SIGKILL)]


def test_what_has_not_answered_yet_may_take_its_time(ended, monkeypatch):
    assert [check(monkeypatch, "ready", "live") for _ in range(9)] == [1] * 9
    assert ended == []
