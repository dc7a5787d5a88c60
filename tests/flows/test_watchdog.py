"""`manage.py worker` whose processes die: each is killed for real, and what is left is looked for in /proc."""

import os
import signal
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django_q.models import OrmQ, Success
from django_q.tasks import async_task

from syncer.engine.worker.loop import AWAY, Loop
from syncer.management.commands.worker import Chores
from syncer.models import Worker as Row
from tests.flows.wait import until
from tests.flows.worker import Worker, is_asleep
from tests.read_only import a_read_only_database

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = "--heartbeat=4"
ONE = {"BACKOFFICE_WORKERS": "1"}  # so that the one that waits is the one that has the queue's lock


def is_at_work(worker):
    return any(row.pid == worker.watchdog for row in Row.objects.all())


def restarts(worker):
    return Row.objects.get(pid=worker.watchdog).restarts


def work_goes_on():
    """A task that is put on the queue now is done, and its result is collected."""
    key = async_task("os.getpid")
    until(lambda: Success.objects.filter(id=key).exists())


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def kill_idle(pid):
    """While nothing is on the queue and it sleeps: then it waits for the next, with the lock."""
    until(lambda: not OrmQ.objects.exists() and is_asleep(pid))
    kill(pid)


# --- what can happen to one worker, one after the other: to start one takes longer ------------------------------------
def test_a_worker_survives_the_death_of_any_of_its_processes_and_none_outlives_it():
    with Worker(QUICK, **ONE) as worker:
        until(lambda: is_at_work(worker))
        call_command("worker", "--check")
        assert "heartbeat:" not in worker.said, "one that is well is no news"
        a_cluster_that_looks_alive_and_does_nothing_is_restarted(worker, "ready for work")
        what_is_left_of_a_cluster_ends_with_its_parent(worker, "sentinel")
        nothing_outlives_the_watchdog(worker)
    Row.objects.update(heartbeat_at="2026-01-01T00:00:00Z")
    with pytest.raises(
        CommandError, match=r"has had no heartbeat for [0-9]+ s: see its log, and start “manage.py worker”"
    ):
        call_command("worker", "--check")


@pytest.mark.slow
def test_a_worker_survives_more_deaths_and_lets_a_long_task_run():
    with Worker(QUICK, **ONE) as worker:
        until(lambda: is_at_work(worker))
        a_long_task_is_no_death(worker)
        a_cluster_that_looks_alive_and_does_nothing_is_restarted(worker, "monitoring")
        what_is_left_of_a_cluster_ends_with_its_parent(worker, "main process")


def a_cluster_that_looks_alive_and_does_nothing_is_restarted(worker, role):
    """A worker and the monitor wait with the lock of a queue; in place of the dead one, another waits for ever."""
    before = restarts(worker)
    kill_idle(worker.at(role))
    until(lambda: restarts(worker) == before + 1)
    work_goes_on()


def what_is_left_of_a_cluster_ends_with_its_parent(worker, which):
    before, said = restarts(worker), len(worker.said)
    worker.at("pushing tasks")
    (main,) = worker.children(worker.watchdog)
    (sentinel,) = worker.children(main)
    old = worker.processes() - {worker.watchdog}
    kill(main if which == "main process" else sentinel)
    until(lambda: not old & worker.processes())
    work_goes_on()
    until(lambda: restarts(worker) == before + 1)
    assert "took no heartbeat" not in worker.said[said:], "it ended, and was not ended for its silence"


def nothing_outlives_the_watchdog(worker):
    kill(worker.watchdog)
    assert worker.wait() == -signal.SIGKILL
    until(lambda: not worker.processes())
    worker.kill()


def a_long_task_is_no_death(worker):
    key = async_task("time.sleep", 6)  # longer than the silence of a death
    until(lambda: Success.objects.filter(id=key).exists())
    assert restarts(worker) == 0


# --- the ends of a worker ---------------------------------------------------------------------------------------------
def test_a_worker_that_never_had_a_beat_is_not_well():
    with pytest.raises(CommandError, match=r"No worker runs on .*: start “manage.py worker”"):
        call_command("worker", "--check")


@pytest.mark.slow
def test_a_dead_cluster_does_not_keep_the_worker_from_stopping():
    with Worker("--stop=2", **ONE) as worker:
        work_goes_on()
        kill_idle(worker.at("ready for work"))
        until(lambda: "after death" in worker.said)
    assert "did not end within 2 s" in worker.said
    assert not Row.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_worker_that_can_not_keep_its_cluster_alive_says_so_by_its_exit_status():
    with Worker() as worker:
        seen: set[int] = set()
        for _ in range(5):
            until(lambda: worker.children(worker.watchdog) - seen)
            (main,) = worker.children(worker.watchdog) - seen
            seen.add(main)
            kill(main)
        assert worker.wait() == 1
        worker.kill()


@pytest.mark.slow
@pytest.mark.postgres
def test_hosts_that_share_a_queue_share_the_work_and_not_the_beats():
    with Worker(QUICK, **ONE) as one, Worker(QUICK, **ONE) as other:
        until(lambda: is_at_work(one) and is_at_work(other))

        def both_worked():
            async_task("os.getppid")
            return Success.objects.values("result").distinct().count() == 2

        until(both_worked)
        kill_idle(one.at("ready for work"))
        until(lambda: restarts(one) == 1)
        assert restarts(other) == 0
        work_goes_on()


@pytest.mark.slow
@pytest.mark.postgres
def test_while_the_database_is_away_silence_is_not_a_death():
    with Worker(QUICK) as worker:
        until(lambda: is_at_work(worker))
        with a_closed_database():
            # Chores ask every 0.2 s and heartbeats every 0.7 s, so this takes longer than the 4 s of a death.
            until(lambda: worker.said.count("can't be used now") > 40)
            assert "the queue's cluster" not in worker.said
        work_goes_on()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_worker_works_whenever_the_database_can_be_written():
    with ExitStack() as read_only:
        read_only.enter_context(a_read_only_database())
        with Worker(QUICK) as worker:
            until(lambda: worker.said.count("can't be used now") > 10)
            read_only.close()
            connection.close()
            work_goes_on()
            with a_read_only_database():
                end_other_sessions()
                until(lambda: worker.said.count("can't be used now") > 40)
                assert "the queue's cluster" not in worker.said
            connection.close()
            work_goes_on()


def end_other_sessions():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def a_closed_database():
    """No connection but this test's own lives, and no new one is let in."""
    connection.ensure_connection()
    name, ours = connection.settings_dict["NAME"], connection.connection.info.backend_pid
    door = f"ALTER DATABASE {connection.ops.quote_name(name)} ALLOW_CONNECTIONS"
    # From another database, for nobody can close the one that they are in.
    with connection._nodb_cursor() as outside:
        outside.execute(f"{door} false")
        outside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s", [name, ours]
        )
        try:
            yield
        finally:
            outside.execute(f"{door} true")


def test_a_chore_with_an_error_of_the_program_rests_and_the_others_go_on(caplog):
    done = []

    def bad():
        done.append("bad")
        raise ValueError("a poisoned row")

    chores = Chores([bad, lambda: done.append("good")])
    chores.do()
    chores.do()
    assert done == ["bad", "good", "good"]
    assert "a poisoned row" in caplog.text


def test_while_the_database_is_away_no_chore_rests():
    asked = []

    def away():
        asked.append(1)
        raise OperationalError("no connection")

    chores = Chores([away])
    for _ in range(2):
        with pytest.raises(OperationalError):
            chores.do()
    assert len(asked) == 2


def test_a_loop_that_hangs_is_not_well():
    stop = threading.Event()
    loop = Loop(lambda: bool(stop.wait()), every=0, stop=stop, longest=0.2)
    loop.start()
    assert loop.is_healthy
    until(lambda: not loop.is_healthy)
    stop.set()
    loop.join()


def test_a_loop_that_failed_is_not_well(caplog):
    loop = Loop(lambda: bool(1 / 0), every=0, stop=threading.Event())
    loop.start()
    until(lambda: not loop.is_healthy)
    assert "ZeroDivisionError" in caplog.text


def test_a_loop_lets_a_database_that_is_away_rest():
    stop, rounds = threading.Event(), []

    def ask():
        rounds.append(time.monotonic())
        raise OperationalError

    loop = Loop(ask, every=0, stop=stop)
    loop.start()
    until(lambda: len(rounds) >= 2)
    stop.set()
    loop.join(60)
    assert rounds[1] - rounds[0] >= AWAY


@pytest.mark.parametrize("end", [lambda stop: stop.set(), lambda _: 1 / 0], ids=["stopped", "failed"])
def test_a_loop_that_ended_leaves_no_session_open(end):
    stop, sessions = threading.Event(), []

    def ask():
        connection.ensure_connection()
        sessions.append(connections["default"])
        end(stop)

    loop = Loop(ask, every=0, stop=stop)
    loop.start()
    loop.join(60)
    assert [session.connection for session in sessions] == [None]
