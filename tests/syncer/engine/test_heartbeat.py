"""Heartbeats, and the queue that takes them: without a cluster."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from syncer.engine.worker import cluster
from syncer.engine.worker.broker import Broker
from syncer.engine.worker.heartbeat import Heartbeats
from syncer.models import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def heartbeats(monkeypatch):
    """As the watchdog of this process, which is also its cluster."""
    heartbeats = Heartbeats()
    monkeypatch.setattr(cluster, "_watch", cluster.Watch(pipe=-1, key=heartbeats.key))
    return heartbeats


def taken(broker):
    """The keys of all that is waiting, as they are taken."""
    keys = []
    while found := broker.dequeue():
        keys += OrmQ.objects.filter(pk=found[0][0]).values_list("key", flat=True)
    return keys


def test_a_cluster_takes_its_own_beat_first_and_no_others(heartbeats):
    for _ in range(3):
        async_task("os.getpid")
    Heartbeats().next()
    heartbeats.next()
    broker = get_broker()
    assert isinstance(broker, Broker)
    assert taken(broker) == [heartbeats.key, "test", "test", "test"]


def test_tasks_are_taken_in_the_order_in_which_they_came(heartbeats):
    names = [f"task {number}" for number in range(3)]
    for name in names:
        async_task("os.getpid", task_name=name)
    broker = get_broker()
    rows = [OrmQ.objects.get(pk=broker.dequeue()[0][0]) for _ in names]
    assert [row.name() for row in rows] == names


def test_at_most_one_beat_waits_whether_or_not_the_last_was_taken(heartbeats):
    heartbeats.next()
    heartbeats.next()
    assert taken(get_broker()) == [heartbeats.key]
    heartbeats.next()
    assert OrmQ.objects.count() == 1
    assert taken(get_broker()) == [heartbeats.key]


def test_beats_and_rows_of_hosts_that_are_gone_are_taken_away(heartbeats):
    gone, alive = Heartbeats(), Heartbeats()
    for one in (gone, alive):
        one.silent = 0.0
        one.next()
    OrmQ.objects.filter(key=gone.key).update(lock=timezone.now() - timedelta(hours=2))
    Worker.objects.filter(pk=gone.id).update(heartbeat_at=timezone.now() - timedelta(days=2))
    heartbeats.next()
    assert set(OrmQ.objects.values_list("key", flat=True)) == {alive.key, heartbeats.key}
    assert list(Worker.objects.values_list("pk", flat=True)) == [alive.id]


def test_a_worker_has_a_row_once_its_cluster_gave_a_sign_and_until_it_ends(heartbeats):
    heartbeats.next()
    assert not Worker.objects.exists()
    heartbeats.silent, heartbeats.restarts = 10.0, 2
    began = timezone.now()
    heartbeats.next()
    row = Worker.objects.get()
    assert (row.pk, row.restarts) == (heartbeats.id, 2)
    assert began <= row.heartbeat_at + timedelta(seconds=10) <= timezone.now()
    heartbeats.end()
    assert not Worker.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_beat_that_could_not_be_put_is_not_waited_for(heartbeats):
    assert not heartbeats.are_put(within=60)
    heartbeats.next()
    assert heartbeats.are_put(within=60)
    assert not heartbeats.are_put(within=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_q_ormq RENAME TO away")
    try:
        with pytest.raises(DatabaseError):
            heartbeats.next()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO django_q_ormq")
    assert not heartbeats.are_put(within=60)
