from datetime import timedelta

import pytest

from backoffice.accounts.second_factor import codes
from backoffice.kit.sign_in.limits import Count


@pytest.fixture(autouse=True)
def slow_codes(monkeypatch):
    """Codes that are right for minutes: under load the clock may go on by more than a step in a test."""
    monkeypatch.setattr(codes, "TOLERANCE", 10)


@pytest.fixture
def long_waits(monkeypatch, settings):
    """A minute from the first failure too many on: under load the next attempt may come after the usual second."""
    settings.SIGN_IN_FREE_FAILURES = {"account": 3, "address": 50, "known": 60}
    monkeypatch.setattr(Count, "delay", lambda count, number: timedelta(minutes=number >= count.free))
