"""How long another service is waited for. The waits are noted instead of sat out."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from backoffice.kit.http import Client, Request
from content.tasks.upstream import TRIES, FailedError, TooSlowError, Upstream
from tests.remote import Fault


@pytest.fixture
def waits():
    return []


@pytest.fixture
def ask(remote, waits):
    client = Client(timeout=1)
    service = Upstream(name="It", client=client, total=30, first_wait=0.5, most=100, wait=waits.append)
    return lambda: service.ask(Request(method="GET", url=f"{remote.url}/posts"))


def test_the_waits_grow_with_full_jitter(ask, remote, waits):
    remote.fault(Fault.STATUS, status=503, times=None)
    with pytest.raises(FailedError, match="It answered 503"):
        ask()
    assert len(remote.journal) == TRIES
    assert len(waits) == TRIES - 1
    assert all(0 <= wait <= most for wait, most in zip(waits, [0.5, 1, 2], strict=True))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_obeyed(ask, remote, waits, status):
    remote.fault(Fault.STATUS, status=status, retry_after=7)
    assert ask().status == 200
    assert waits == [7]


def test_retry_after_as_a_date_is_obeyed(ask, remote, waits):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    remote.fault(Fault.STATUS, status=429, retry_after=date)
    assert ask().status == 200
    assert len(waits) == 1
    assert 10 < waits[0] <= 20


def test_no_try_begins_so_late_that_it_could_outlast_the_whole(ask, remote, waits):
    remote.fault(Fault.STATUS, status=429, retry_after=29)  # and two seconds for the try itself
    with pytest.raises(TooSlowError, match="asks to wait 29 s"):
        ask()
    assert (waits, len(remote.journal)) == ([], 1)


@pytest.mark.parametrize("status", [400, 404, 418])
def test_other_refusals_are_answers_and_not_repeated(ask, remote, waits, status):
    remote.fault(Fault.STATUS, status=status)
    assert ask().status == status
    assert waits == []
