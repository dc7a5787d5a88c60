import pytest

from syncer.core.heartbeat import START, HeartbeatMonitor

HEARTBEAT, LONGEST = 30.0, 660.0  # seconds
HALF = HEARTBEAT / 2


def a_monitor(*, began=True, workers=2):
    monitor = HeartbeatMonitor(workers=workers, heartbeat=HEARTBEAT, longest=LONGEST)
    if began:
        monitor.hear(["!"])
    return monitor


def wait(monitor, seconds, *, is_asked=True, lives=lambda pid: True):
    for _ in range(int(seconds)):
        monitor.wait(1, is_asked=is_asked, lives=lives)


@pytest.mark.parametrize(
    ("workers", "story", "is_dead"),
    [
        pytest.param(2, [HEARTBEAT], False, id="silence up to the limit"),
        pytest.param(2, [HEARTBEAT + 1], True, id="silence beyond the limit"),
        pytest.param(2, [HEARTBEAT, "!", HEARTBEAT], False, id="a sign of life ends the silence"),
        pytest.param(2, ["+7", "+8", 600], False, id="all workers run long tasks"),
        pytest.param(2, ["+7", HEARTBEAT + 1], True, id="one of two workers runs a long task"),
        pytest.param(1, ["+7", 60, "-7", HALF], False, id="a long task has just ended"),
        pytest.param(1, ["+7", 60, "-7", HEARTBEAT + 1], True, id="a long task ended some time ago"),
        pytest.param(1, ["+7", LONGEST + HEARTBEAT + 1], True, id="a task beyond the queue's time-out"),
        # Nobody collects their results: the monitor has died with the lock of its queue.
        pytest.param(1, ["+7", 14, "-7"] * 3, True, id="tasks end without a sign of life"),
        pytest.param(2, ["-7"], False, id="a task ends that never began"),
    ],
)
def test_a_cluster_is_dead_after_a_silence_that_no_long_task_explains(workers, story, is_dead):
    monitor = a_monitor(workers=workers)
    for event in story:
        if isinstance(event, str):
            monitor.hear([event])
        else:
            wait(monitor, event)
    assert monitor.is_dead is is_dead


def test_a_cluster_that_starts_has_time():
    monitor = a_monitor(began=False)
    wait(monitor, START + HEARTBEAT)
    assert (monitor.is_dead, monitor.has_heartbeat) == (False, False)
    wait(monitor, 1)
    assert monitor.is_dead


@pytest.mark.parametrize(("began", "silent"), [(True, 0), (False, -START)])
def test_while_no_heartbeat_can_be_queued_silence_means_nothing(began, silent):
    monitor = a_monitor(began=began)
    wait(monitor, 600, is_asked=False)
    assert monitor.silent == silent


def test_a_worker_that_was_killed_at_its_task_excuses_nothing():
    monitor = a_monitor(workers=1)
    monitor.hear(["+7"])
    wait(monitor, HEARTBEAT + 1, lives=lambda pid: pid != 7)
    assert monitor.is_dead


def test_a_watchdog_that_was_suspended_gives_time_to_be_heard():
    monitor = a_monitor()
    monitor.wait(3600, is_asked=True, lives=lambda pid: True)
    assert not monitor.is_dead
