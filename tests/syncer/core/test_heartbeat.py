import pytest

from syncer.core.heartbeat import START, HeartbeatMonitor

HEARTBEAT = 30.0


def a_monitor(*, began=True, workers=2):
    monitor = HeartbeatMonitor(workers=workers, heartbeat=HEARTBEAT, longest=660)
    if began:
        monitor.hear(["!"])
    return monitor


def wait(monitor, seconds, *, is_asked=True, lives=lambda pid: True):
    for _ in range(int(seconds)):
        monitor.wait(1, is_asked=is_asked, lives=lives)


def test_silence_is_death():
    monitor = a_monitor()
    wait(monitor, HEARTBEAT)
    assert not monitor.is_dead
    wait(monitor, 1)
    assert monitor.is_dead


def test_a_sign_ends_the_silence():
    monitor = a_monitor()
    wait(monitor, HEARTBEAT)
    monitor.hear(["!"])
    wait(monitor, HEARTBEAT)
    assert not monitor.is_dead


def test_a_cluster_that_starts_has_time():
    monitor = a_monitor(began=False)
    wait(monitor, START + HEARTBEAT)
    assert (monitor.is_dead, monitor.has_heartbeat) == (False, False)
    wait(monitor, 1)
    assert monitor.is_dead


@pytest.mark.parametrize(("began", "silent"), [(True, 0), (False, -START)])
def test_while_no_heartbeat_can_be_asked_for_silence_means_nothing(began, silent):
    monitor = a_monitor(began=began)
    wait(monitor, 600, is_asked=False)
    assert monitor.silent == silent


def test_workers_that_are_all_at_long_tasks_are_not_dead():
    monitor = a_monitor()
    monitor.hear(["+7", "+8"])
    wait(monitor, 600)
    assert not monitor.is_dead


def test_one_long_task_does_not_excuse_the_worker_beside_it():
    monitor = a_monitor()
    monitor.hear(["+7"])
    wait(monitor, HEARTBEAT + 1)
    assert monitor.is_dead


def test_a_long_task_that_ended_excuses_no_more():
    monitor = a_monitor(workers=1)
    monitor.hear(["+7"])
    wait(monitor, 60)
    monitor.hear(["-7"])
    wait(monitor, HEARTBEAT / 2)
    assert not monitor.is_dead
    wait(monitor, HEARTBEAT / 2 + 1)
    assert monitor.is_dead


def test_tasks_that_end_without_a_sign_are_a_death():
    """Nobody collects what comes of them: the monitor has died with the lock of its queue."""
    monitor = a_monitor(workers=1)
    for _ in range(3):
        monitor.hear(["+7"])
        wait(monitor, 14)
        monitor.hear(["-7"])
    assert monitor.is_dead


def test_a_worker_that_was_killed_at_its_task_excuses_nothing():
    monitor = a_monitor(workers=1)
    monitor.hear(["+7"])
    wait(monitor, HEARTBEAT + 1, lives=lambda pid: pid != 7)
    assert monitor.is_dead


def test_a_task_beyond_the_queues_time_out_excuses_nothing():
    monitor = a_monitor(workers=1)
    monitor.hear(["+7"])
    wait(monitor, 660 + HEARTBEAT + 1)
    assert monitor.is_dead


def test_a_watchdog_that_was_suspended_gives_time_to_be_heard():
    monitor = a_monitor()
    monitor.wait(3600, is_asked=True, lives=lambda pid: True)
    assert not monitor.is_dead


def test_an_end_without_a_beginning_is_nothing():
    monitor = a_monitor()
    monitor.hear(["-7"])
    assert monitor.busy == {}
