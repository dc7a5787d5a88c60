"""Leases: one worker has a row, until a time or for as long as it works."""

import threading
from datetime import timedelta

import pytest

from backoffice.kit import clock, lease
from backoffice.kit.jobs.models import Job
from tests.backoffice.at_once import at_once
from tests.flows.wait import until

pytestmark = pytest.mark.django_db
in_transactions = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def job(title="A task", **columns):
    return Job.objects.create(work="nothing", title=title, **columns)


def expired(title="A task"):
    return job(title, lease_until=clock.now())


def row(one):
    return Job.objects.filter(pk=one.pk)


# --- taking it -------------------------------------------------------------------------------------------------------
def test_of_two_that_read_the_same_row_one_takes_it():
    one, now = expired(), clock.now()
    assert lease.move(row(one), one.lease_until, now + MINUTE)
    assert not lease.move(row(one), one.lease_until, now + 2 * MINUTE)
    assert row(one).get().lease_until == now + MINUTE


def test_what_is_written_with_a_lease_is_written_by_the_one_who_gets_it():
    one, now = expired(), clock.now()
    assert lease.move(row(one), one.lease_until, now + MINUTE, title="first")
    assert not lease.move(row(one), one.lease_until, now + MINUTE, title="second")
    assert row(one).get().title == "first"


def test_a_row_that_no_longer_meets_the_conditions_is_not_taken():
    one = expired()
    assert not lease.move(row(one).filter(state=Job.State.RUNNING), one.lease_until, clock.now() + MINUTE)


@pytest.mark.parametrize(("ends", "free"), [(-MINUTE, 1), (timedelta(), 1), (MINUTE, 0)], ids=str)
def test_a_row_is_free_from_the_end_of_its_lease_on(ends, free):
    now = clock.now()
    job(lease_until=now + ends)
    assert Job.objects.filter(lease.is_free(now)).count() == free


def test_a_row_that_nobody_ever_took_is_free():
    job(started_at=None)
    assert Job.objects.filter(lease.is_free(clock.now(), "started_at")).count() == 1


@pytest.mark.postgres
@in_transactions
def test_of_many_workers_at_once_one_takes_the_row():
    one, now = expired(), clock.now()
    won = at_once(4, lambda number: lease.move(row(one), one.lease_until, now + (number + 1) * MINUTE))
    assert sorted(won) == [False, False, False, True]


# --- finding what nobody holds ---------------------------------------------------------------------------------------
def test_rows_whose_lease_ran_out_are_taken_once():
    gone, now = expired(), clock.now()
    job("held", lease_until=now + MINUTE)
    assert list(lease.take_expired(Job.objects.all(), now=now)) == [gone]
    assert row(gone).get().lease_until == lease.ends(now)
    assert list(lease.take_expired(Job.objects.all(), now=now)) == []


def test_a_row_that_another_worker_took_after_it_was_read_is_left_to_that_one():
    for title in "AB":
        expired(title)
    now = clock.now()
    found = lease.take_expired(Job.objects.order_by("title"), now=now)
    assert next(found).title == "A"
    assert [other.title for other in lease.take_expired(Job.objects.all(), now=now)] == ["B"]
    assert list(found) == []


def test_how_long_a_row_is_taken_may_depend_on_the_row():
    now = clock.now()
    expired("A"), expired("B")
    list(lease.take_expired(Job.objects.all(), now=clock.now(), until=lambda one: now + MINUTE * ord(one.title)))
    assert Job.objects.get(title="B").lease_until - Job.objects.get(title="A").lease_until == MINUTE


# --- keeping it ------------------------------------------------------------------------------------------------------
def is_extending():
    return any(thread.name.startswith("lease of") for thread in threading.enumerate())


@in_transactions
def test_a_lease_is_extended_again_and_again_while_the_work_lasts_and_no_other_is(settings):
    settings.SYNC_LEASE_SECONDS = 0.6
    one, other = expired(), expired("another")
    with lease.kept_alive(row(one)):
        until(lambda: row(one).get().lease_until > one.lease_until + timedelta(seconds=1.5), seconds=20)
    assert not is_extending()
    assert row(other).get().lease_until == other.lease_until


def test_a_lease_is_not_extended_after_an_error_of_the_work():
    def crash():
        assert is_extending()
        raise RuntimeError

    with pytest.raises(RuntimeError), lease.kept_alive(row(expired())):
        crash()
    assert not is_extending()
