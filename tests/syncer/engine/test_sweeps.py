"""When a worker's chores are done: in each round while something waits for a time, else seldom."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from backoffice.kit import clock
from backoffice.kit.database import OPENED, refresh_connections
from backoffice.kit.jobs.models import Job
from syncer.engine.worker import sweeps
from syncer.engine.worker.sweeps import Sweeps, something_waits
from syncer.models import Alert, Binding, Route, Run, Target
from tests.content.history.support import in_another_program

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_rest(target):
    """A target with routes that were planned, and nothing to do."""
    target.routes.update(trigger="change", mark="a mark")
    return target


def a_waiting_run(at):
    Run.objects.create(target=at, trigger=Run.Trigger.CHANGE)


def a_job(at):
    Job.objects.create(title="A", work="a.function")


def an_alert(at):
    Alert.objects.create(target=at, kind=next(iter(Alert.Kind)), at=clock.now(), not_before=clock.now())


def a_target_that_waits(at):
    Target.objects.update(not_before=clock.now() + timedelta(hours=1))


def an_open_circuit(at):
    Target.objects.update(opened_at=clock.now())


def a_route_that_was_never_planned(at):
    at.routes.update(mark="")


def a_retry(at):
    later = clock.now() + timedelta(hours=1)
    Binding.objects.create(route=at.routes.first(), object_key="1", wanted=1, tries=1, not_before=later)


WAITING = [
    a_waiting_run,
    a_job,
    an_alert,
    a_target_that_waits,
    an_open_circuit,
    a_route_that_was_never_planned,
    a_retry,
]


@pytest.mark.parametrize("wait", WAITING)
def test_what_waits_for_a_time_is_looked_for_in_each_round(at_rest, wait):
    assert not something_waits()
    wait(at_rest)
    assert something_waits()


def test_what_only_a_person_can_change_does_not_wait_for_a_time(at_rest):
    Binding.objects.create(route=at_rest.routes.first(), object_key="2", wanted=1, on_hold=True)
    Binding.objects.create(route=at_rest.routes.first(), object_key="3", wanted=1, rejected=1)
    assert not something_waits()
    a_retry(at_rest)
    Route.objects.update(enabled=False)
    assert not something_waits()
    Route.objects.update(enabled=True)
    Target.objects.update(blocked="a setting is wrong")
    assert not something_waits()


def test_while_nothing_waits_sweeps_are_seldom(at_rest, monkeypatch):
    done = []
    swept = Sweeps(lambda: done.append(1))
    for _ in range(3):
        swept.do()
    assert len(done) == 1
    monkeypatch.setattr(sweeps, "IDLE", 0)
    swept.do()
    assert len(done) == 2


def test_a_commit_after_which_something_waits_ends_the_rest(at_rest):
    done = []
    swept = Sweeps(lambda: done.append(1))
    swept.do()
    in_another_program(f"UPDATE syncer_route SET mark = '' WHERE target_id = {at_rest.pk}")
    for _ in range(3):
        swept.do()
    assert len(done) == 4


def test_a_sweep_that_failed_is_repeated_in_the_next_round(at_rest):
    done = []

    def fail():
        done.append(1)
        raise OperationalError

    swept = Sweeps(fail)
    for _ in range(2):
        with pytest.raises(OperationalError):
            swept.do()
    assert len(done) == 2


@pytest.mark.sqlite
def test_a_connection_is_kept_until_its_file_is_replaced():
    connection.ensure_connection()
    before = connection.connection
    refresh_connections()
    assert connection.connection is before
    setattr(connection, OPENED, (0, 0))
    refresh_connections()
    assert connection.connection is None
