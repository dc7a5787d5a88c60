import pytest

from syncer.core.heartbeat import START, HeartbeatMonitor

HEARTBEAT = 30.0


def a_pulse(*, began=True, workers=2):
    pulse = HeartbeatMonitor(workers=workers, heartbeat=HEARTBEAT, longest=660)
    if began:
        pulse.hear(["!"])
    return pulse


def wait(pulse, seconds, *, is_asked=True, lives=lambda pid: True):
    for _ in range(int(seconds)):
        pulse.wait(1, is_asked=is_asked, lives=lives)


def test_silence_is_death():
    pulse = a_pulse()
    wait(pulse, HEARTBEAT)
    assert not pulse.is_dead
    wait(pulse, 1)
    assert pulse.is_dead


def test_a_sign_ends_the_silence():
    pulse = a_pulse()
    wait(pulse, HEARTBEAT)
    pulse.hear(["!"])
    wait(pulse, HEARTBEAT)
    assert not pulse.is_dead


def test_a_cluster_that_starts_has_time():
    pulse = a_pulse(began=False)
    wait(pulse, START + HEARTBEAT)
    assert (pulse.is_dead, pulse.has_heartbeat) == (False, False)
    wait(pulse, 1)
    assert pulse.is_dead


@pytest.mark.parametrize(("began", "silent"), [(True, 0), (False, -START)])
def test_while_no_beat_can_be_asked_for_silence_means_nothing(began, silent):
    pulse = a_pulse(began=began)
    wait(pulse, 600, is_asked=False)
    assert pulse.silent == silent


def test_workers_that_are_all_at_long_tasks_are_not_dead():
    pulse = a_pulse()
    pulse.hear(["+7", "+8"])
    wait(pulse, 600)
    assert not pulse.is_dead


def test_one_long_task_does_not_excuse_the_worker_beside_it():
    pulse = a_pulse()
    pulse.hear(["+7"])
    wait(pulse, HEARTBEAT + 1)
    assert pulse.is_dead


def test_a_long_task_that_ended_excuses_no_more():
    pulse = a_pulse(workers=1)
    pulse.hear(["+7"])
    wait(pulse, 60)
    pulse.hear(["-7"])
    wait(pulse, HEARTBEAT / 2)
    assert not pulse.is_dead
    wait(pulse, HEARTBEAT / 2 + 1)
    assert pulse.is_dead


def test_tasks_that_end_without_a_sign_are_a_death():
    """Nobody collects what comes of them: the monitor has died with the lock of its queue."""
    pulse = a_pulse(workers=1)
    for _ in range(3):
        pulse.hear(["+7"])
        wait(pulse, 14)
        pulse.hear(["-7"])
    assert pulse.is_dead


def test_a_worker_that_was_killed_at_its_task_excuses_nothing():
    pulse = a_pulse(workers=1)
    pulse.hear(["+7"])
    wait(pulse, HEARTBEAT + 1, lives=lambda pid: pid != 7)
    assert pulse.is_dead


def test_a_task_beyond_the_queues_time_out_excuses_nothing():
    pulse = a_pulse(workers=1)
    pulse.hear(["+7"])
    wait(pulse, 660 + HEARTBEAT + 1)
    assert pulse.is_dead


def test_a_watchdog_that_was_suspended_gives_time_to_be_heard():
    pulse = a_pulse()
    pulse.wait(3600, is_asked=True, lives=lambda pid: True)
    assert not pulse.is_dead


def test_an_end_without_a_beginning_is_nothing():
    pulse = a_pulse()
    pulse.hear(["-7"])
    assert pulse.busy == {}
