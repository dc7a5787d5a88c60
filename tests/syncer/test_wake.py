"""Waking: a save is only a save, and many saves are one wake-up."""

import pytest
from django.core.exceptions import FieldError
from django.db import connection, transaction
from django_q.models import OrmQ

from content.news.models import Post
from syncer.asking import ask
from syncer.models import Route, Run, Target
from syncer.plan import plan
from syncer.routemap import RouteMap
from syncer.tasks import work_run
from syncer.wake import sweep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def following(target):
    target.routes.update(trigger="change")
    return target


def test_many_saves_are_one_wake_up(following):
    for number in range(5):
        Post.objects.create(title=f"T{number}", body="B")
    assert Run.objects.filter(state=Run.State.QUEUED).count() == 1
    assert OrmQ.objects.count() == 1


def test_one_transaction_registers_one_wake_up(following):
    with transaction.atomic():
        for number in range(5):
            Post.objects.create(title=f"T{number}", body="B")
        assert len(connection.run_on_commit) == 1


def test_what_is_rolled_back_wakes_nobody(following):
    transaction.set_autocommit(False)
    Post.objects.create(title="A", body="B")
    transaction.rollback()
    transaction.set_autocommit(True)
    assert not Run.objects.exists()


def test_a_manual_route_wakes_nobody(target):
    Post.objects.create(title="A", body="B")
    assert not Run.objects.exists()


def test_a_save_does_not_fail_when_nobody_can_be_woken(following):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_q_ormq RENAME TO away")
    try:
        Post.objects.create(title="A", body="B")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO django_q_ormq")
    assert Post.objects.count() == 1


def test_asking_twice_joins_the_run_that_waits(target):
    first, is_new = ask(target=target, trigger=Run.Trigger.MANUAL)
    second, is_newer = ask(target=target, trigger=Run.Trigger.CHANGE)
    assert (first, is_new, is_newer) == (second, True, False)


def test_chosen_objects_are_a_run_of_their_own(target):
    ask(target=target, trigger=Run.Trigger.MANUAL)
    _, is_new = ask(target=target, trigger=Run.Trigger.MANUAL, scope={"news.Post": ["1"]})
    assert is_new


@pytest.mark.parametrize(("trigger", "woken"), [("change", 1), ("manual", 0), ("every 5 minutes", 1)])
def test_the_sweep_finds_a_change_that_nobody_was_woken_for(target, trigger, woken):
    Post.objects.create(title="A", body="B")
    target.routes.update(trigger=trigger)
    assert sweep() == woken


def test_the_sweep_leaves_a_target_alone_that_is_paused_or_off_or_waits(following):
    Post.objects.create(title="A", body="B")
    Run.objects.all().delete()
    following.enabled = False
    following.save()
    assert sweep() == 0
    following.enabled, following.paused = True, "wrong password"
    following.save()
    assert sweep() == 0


def test_a_target_that_can_not_be_judged_does_not_stop_the_others(target):
    broken = Target.objects.create(name="broken", url=target.url, allow_private=True)
    Route.objects.create(
        target=broken, model="news.Post", path="/posts", fields={"title": "title"}, filter={"no_such_field": 1}
    )
    Post.objects.create(title="A", body="B")
    for one in (target, broken):
        routes = RouteMap(one)
        plan(routes, routes.parents_first[0])
    assert sweep() == 2
    with pytest.raises(FieldError):
        work_run(Run.objects.get(target=broken).pk)
    assert sweep() == 0
    assert Run.objects.get(target=broken).message.startswith("An error in the program")
