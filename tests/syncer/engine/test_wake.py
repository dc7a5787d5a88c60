"""Waking: a save is only a save, and many saves are one wake-up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from backoffice.kit.context import Cause, caused_by
from content.news.models import Comment, Post
from syncer.engine.plan import plan
from syncer.engine.runs import work_run
from syncer.engine.wake import request_run, sweep, wake_for_news
from syncer.engine.worker import broker
from syncer.engine.worker.commits import EVERY, SELDOM, Commits
from syncer.models import Route, Run, Target
from syncer.models.routemap import RouteMap
from tests.content.history.support import in_another_program
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def following(target):
    """Follows changes, and has read the history."""
    target.routes.update(trigger="change")
    sync(target)
    Run.objects.all().delete()
    return target


def queued():
    return Run.objects.filter(state=Run.State.QUEUED).count()


# --- news ------------------------------------------------------------------------------------------------------------
def test_a_save_is_nothing_but_a_save(following):
    """Whoever follows: it asks nothing, wakes nobody and waits for no commit."""
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        Post.objects.create(title="A", body="B")
    assert len([one for one in queries if not one["sql"].startswith("BEGIN")]) == 1
    assert (len(connection.run_on_commit), queued()) == (0, 0)


def test_many_saves_are_one_wake_up(following):
    for number in range(5):
        Post.objects.create(title=f"T{number}", body="B")
        wake_for_news()
    assert queued() == 1
    assert OrmQ.objects.count() == 1


def test_where_a_run_waits_already_nothing_is_asked_for(following):
    Post.objects.create(title="A", body="B")
    assert wake_for_news() == 1
    assert wake_for_news() == 0
    Run.objects.update(scope={"news.Post": ["1"]})  # which plans nothing else
    assert wake_for_news() == 1


def test_news_that_a_run_has_planned_already_are_followed_by_another_run(following):
    Post.objects.create(title="A", body="B")
    assert wake_for_news() == 1
    Run.objects.update(state=Run.State.RUNNING)
    assert wake_for_news() == 1  # whether it has planned yet is not known
    routes = RouteMap(following)
    for route in routes.parents_first:
        plan(routes, route)
    Run.objects.filter(state=Run.State.QUEUED).delete()
    assert wake_for_news() == 0


def test_without_news_nobody_is_woken(following):
    assert wake_for_news() == 0


def test_raw_sql_is_news_too(following):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO news_post (user_id, title, body) VALUES (1, 'T', 'B')")
    assert wake_for_news() == 1


def test_only_whoever_follows_is_woken_and_only_for_the_model_that_changed(following):
    following.routes.filter(model="news.Post").update(trigger="manual")
    Post.objects.create(title="A", body="B")
    assert wake_for_news() == 0
    Comment.objects.create(post=Post.objects.get(), name="N", email="a@example.com", body="B")
    assert wake_for_news() == 1


@pytest.mark.parametrize(
    ("values", "swept"),
    [
        ({"enabled": False}, 0),
        ({"blocked": "wrong password"}, 0),
        ({"not_before": LATER}, 0),
        ({"opened_at": LATER, "probe_at": LATER}, 1),  # one object that has not failed may be sent
    ],
    ids=["off", "blocked", "waits", "probed later"],
)
def test_nobody_is_woken_where_nothing_may_be_sent_to_the_target(following, values, swept):
    Post.objects.create(title="A", body="B")
    Target.objects.update(**values)
    assert (wake_for_news(), sweep()) == (0, swept)


def test_what_came_from_a_peer_is_not_news_for_that_peer(following):
    Target.objects.update(kind="peer", peer_node="warehouse")
    with caused_by(Cause(origin="warehouse")):
        Post.objects.create(title="A", body="B")
    assert wake_for_news() == 0
    Post.objects.update(title="Here")
    assert wake_for_news() == 1


def test_a_mark_of_another_kind_of_database_stops_no_other(following):
    other = Target.objects.create(name="other", url=following.url)
    route = Route(target=other, model="news.Post", path="/posts", fields={"title": "title"}, trigger="change")
    route.mark = "sqlite-7/55" if connection.vendor == "postgresql" else "postgresql-7/5:9:"
    route.save()
    Post.objects.create(title="A", body="B")
    assert wake_for_news() == 1


# --- commits ---------------------------------------------------------------------------------------------------------
def test_a_commit_of_another_program_is_seen_once():
    commits = Commits()
    assert commits.have_come()  # who asks for the first time has missed some
    assert not commits.have_come()
    in_another_program("INSERT INTO news_post (user_id, title, body) VALUES (1, 'T', 'B')")
    assert commits.have_come()
    assert not commits.have_come()


def test_what_is_not_committed_has_not_come():
    commits, took_part, may_end = Commits(), threading.Event(), threading.Event()

    def write():
        with transaction.atomic():
            Post.objects.create(title="A", body="B")
            took_part.set()
            may_end.wait(60)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        assert took_part.wait(60)
        commits.have_come()
        assert not commits.have_come()
        may_end.set()
        writer.result(60)
    assert commits.have_come()


def test_a_new_connection_may_have_missed_some():
    commits = Commits()
    commits.have_come()
    connection.close()
    assert commits.have_come()


def test_it_asks_less_often_once_nothing_has_come_for_a_while(monkeypatch):
    commits = Commits()
    commits.have_come()
    assert commits.pause == EVERY
    monkeypatch.setattr("syncer.engine.worker.commits.QUIET", 0)
    assert not commits.have_come()
    assert commits.pause == SELDOM
    monkeypatch.undo()
    in_another_program("INSERT INTO news_post (user_id, title, body) VALUES (1, 'T', 'B')")
    assert commits.have_come()
    assert commits.pause == EVERY


@pytest.mark.postgres
def test_a_connection_that_was_cut_may_have_missed_some_and_is_replaced():
    commits = Commits()
    commits.have_come()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        in_another_program(f"SELECT pg_terminate_backend({cursor.fetchone()[0]})")
    assert [commits.have_come(), commits.have_come(), commits.have_come()] == [True, True, False]


def test_a_task_is_taken_from_the_queue_when_it_comes(monkeypatch):
    """Long before the queue would be looked at by the clock."""
    monkeypatch.setattr(broker, "LONGEST", 600)
    queue = broker.Broker(list_key="tests")
    assert queue.dequeue() is None  # who asks for the first time does not wait

    def put():
        OrmQ.objects.create(key="tests", payload="a task", lock=timezone.now())
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(put)
        found = queue.dequeue() or queue.dequeue() or []
    assert [payload for _, payload in found] == ["a task"]


def test_an_empty_queue_is_queried_only_a_few_times_a_second():
    queue = broker.Broker(list_key="tests")
    queue.dequeue()
    began = time.monotonic()
    assert [queue.dequeue() for _ in range(4)] == [None] * 4
    assert time.monotonic() - began >= broker.LONGEST


# --- runs and the sweep ----------------------------------------------------------------------------------------------
def test_asking_twice_joins_the_run_that_waits(target):
    first, is_new = request_run(target=target, trigger=Run.Trigger.MANUAL)
    second, is_newer = request_run(target=target, trigger=Run.Trigger.CHANGE)
    assert (first, is_new, is_newer) == (second, True, False)


def test_chosen_objects_are_a_run_of_their_own(target):
    request_run(target=target, trigger=Run.Trigger.MANUAL)
    _, is_new = request_run(target=target, trigger=Run.Trigger.MANUAL, scope={"news.Post": ["1"]})
    assert is_new


@pytest.mark.parametrize(("trigger", "woken"), [("change", 1), ("manual", 0), ("every 5 minutes", 1)])
def test_the_sweep_finds_a_change_that_nobody_was_woken_for(target, trigger, woken):
    Post.objects.create(title="A", body="B")
    target.routes.update(trigger=trigger)
    assert sweep() == woken


def test_a_target_that_can_not_be_judged_does_not_stop_the_others(target):
    broken = Target.objects.create(name="broken", url=target.url)
    Route.objects.create(
        target=broken, model="news.Post", path="/posts", fields={"title": "title"}, filter={"no_such_field": 1}
    )
    Post.objects.create(title="A", body="B")
    for one in (target, broken):
        routes = RouteMap(one)
        plan(routes, routes.parents_first[0])
    assert sweep() == 2
    work_run(Run.objects.get(target=broken).pk)
    assert sweep() == 0
    assert Run.objects.get(target=broken).message.startswith("An error in the program")
