"""The circuit breaker: a target that is down costs a handful of requests, and recovers automatically."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backoffice.kit import clock
from content.news.models import Post
from syncer.core.circuit import FAILURES
from syncer.core.outcome import Outcome, Verdict
from syncer.engine import breaker, dispatch
from syncer.engine.breaker import Pace, pace
from syncer.engine.runs import work, work_run
from syncer.engine.wake import request_run, sweep
from syncer.models import Alert, Attempt, Binding, Run, Target
from tests.remote import Fault
from tests.syncer.conftest import sync, sync_automatically
from tests.syncer.support import another_worker, binding_of, let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 1000  # objects
HOUR = timedelta(hours=1)
BAD = Verdict(outcome=Outcome.UNKNOWN, why="answered 500")


@pytest.fixture
def following(target):
    """A target that is sent each change automatically."""
    target.routes.update(trigger="change")
    return target


def posts(number, title="T"):
    """So many posts, for which nothing was woken."""
    found = Post.objects.bulk_create(Post(title=f"{title}{count}", body="B") for count in range(number))
    Run.objects.all().delete()
    return found


def note(target, verdicts, *, probe=False):
    with transaction.atomic():
        breaker.note(target, verdicts, probe=probe, request_seconds=4)


def alerts():
    return list(Alert.objects.order_by("pk").values_list("kind", flat=True))


def one_second():
    """What the worker does in one second: the sweep, and the run that it wakes. None: it wakes none."""
    sweep()
    run = Run.objects.filter(state=Run.State.QUEUED).first()
    if run is not None:
        work_run(run.pk)
        run.refresh_from_db()
    return run


def put_off():
    """As if the wait for the next probe were long: it is up to two seconds, at random, and a machine may be busy."""
    Target.objects.filter(probe_at__isnull=False).update(probe_at=clock.now() + HOUR)


@pytest.fixture
def silent(following, remote):
    """A target whose circuit is open: it was refused once too often. One post waits, its probe lies ahead."""
    posts(2)
    remote.stop()
    for _ in range(3):
        one_second()
        let_time_pass()
    following.refresh_from_db()
    assert following.opened_at
    put_off()
    remote.start()
    return following


# --- it opens --------------------------------------------------------------------------------------------------------
def test_a_thousand_objects_and_a_dead_target_cost_a_handful_of_requests(following, remote):
    posts(MANY)
    remote.stop()
    run = one_second()
    most = FAILURES + following.concurrency - 1  # those that were under way
    assert FAILURES <= Attempt.objects.count() <= most
    assert FAILURES <= Binding.objects.filter(tries=1).count() <= most
    rest = Binding.objects.filter(tries=0, unconfirmed=False, not_before=None, create_key=None, lease_until=None)
    assert Binding.objects.filter(tries=1).count() + rest.count() == MANY
    assert run.message.startswith(f"Fake API refused the connection; {MANY} changes are kept, next try in ")
    made = Attempt.objects.count()
    put_off()
    assert one_second() is None
    for probe in range(1, 4):
        let_time_pass()
        assert one_second().state == "failed"
        assert Attempt.objects.count() == made + probe


def test_when_it_answers_again_everything_goes_out_in_the_same_run(following, remote):
    posts(200)
    remote.stop()
    one_second()
    remote.start()
    let_time_pass()
    run = one_second()
    assert (run.state, run.message) == ("done", "200 created.")
    assert len(remote.posts) == len(remote.writes()) == 200
    following.refresh_from_db()
    assert breaker.circuit_of(following).is_quiet


def test_one_object_that_fails_again_and_again_opens_it_too(following, post, remote):
    remote.stop()
    for _ in range(FAILURES):
        assert pace(following) is Pace.GO
        one_second()
        let_time_pass()
    assert pace(following) is Pace.PROBE


def test_failures_that_two_workers_settle_at_once_are_one_row(following):
    seen_by_both = [Target.objects.get(pk=following.pk) for _ in range(2)]
    for target in seen_by_both:
        note(target, [BAD] * 3)
    following.refresh_from_db()
    assert (following.failures, bool(following.opened_at)) == (6, True)
    assert alerts() == ["unhealthy"]


def test_good_answers_of_a_well_target_write_nothing_to_its_row(following, remote):
    posts(50)
    with CaptureQueriesContext(connection) as queries:
        one_second()
    assert len(remote.posts) == 50
    assert [one["sql"] for one in queries if one["sql"].startswith('UPDATE "syncer_target"')] == []
    assert [one["sql"] for one in queries if "syncer_target" in one["sql"] and "FOR NO KEY UPDATE" in one["sql"]] == []


# --- while it is open ------------------------------------------------------------------------------------------------
def test_edits_of_the_one_object_that_fails_bring_no_probe_forward(following, post, remote):
    remote.stop()
    for _ in range(FAILURES):
        one_second()
        let_time_pass()
    later = clock.now() + HOUR
    Target.objects.update(probe_at=later)
    for number in range(2):
        post.title = f"edit {number}"
        post.save()
        assert one_second().state == "failed"
    following.refresh_from_db()
    assert following.probe_at == later


def test_nobody_is_woken_before_the_probe_is_due(silent):
    Post.objects.create(title="new", body="B")
    assert not Run.objects.filter(state=Run.State.QUEUED).exists()
    assert sweep() == 0
    let_time_pass()
    assert sweep() == 1


def test_a_probe_that_fails_ends_the_run_and_the_next_one_is_later(silent, remote):
    remote.stop()
    began = clock.now()
    Target.objects.update(probe_at=began, probes=20)
    made = Attempt.objects.count()
    assert one_second().state == "failed"
    assert Attempt.objects.count() == made + 1
    silent.refresh_from_db()
    assert silent.probes == 21
    assert began < silent.probe_at <= clock.now() + timedelta(minutes=1)


def test_only_one_worker_takes_the_turn(silent):
    let_time_pass()
    first, second = (Target.objects.get(pk=silent.pk) for _ in range(2))
    assert (pace(first), pace(second)) == (Pace.PROBE, Pace.PROBE)
    turn = breaker.take_turn(first, 60)
    assert turn
    assert breaker.take_turn(second, 60) is None
    assert pace(second) is Pace.STOP
    breaker.give_back(first, turn)
    assert pace(second) is Pace.PROBE


def test_a_turn_that_came_to_something_is_not_given_back(silent):
    let_time_pass()
    assert pace(silent) is Pace.PROBE
    turn = breaker.take_turn(silent, 60)
    assert turn is not None
    note(silent, [BAD], probe=True)
    breaker.give_back(silent, turn)
    assert pace(silent) is Pace.STOP


def test_a_worker_that_dies_with_the_turn_keeps_it_for_a_while_only(silent):
    let_time_pass()
    assert pace(silent) is Pace.PROBE
    assert breaker.take_turn(silent, 60)
    let_time_pass()
    assert pace(silent) is Pace.PROBE


def test_while_one_worker_probes_another_sends_nothing_even_if_a_person_asks(silent, remote):
    with remote.hold("POST") as held:
        let_time_pass()
        asked, _ = request_run(target=silent, trigger=Run.Trigger.RETRY)
        worker = another_worker(asked)
        held.wait_arrived()
        assert sync(silent).state == "failed"
        assert len(remote.writes()) == 1
    worker.join(120)
    assert sync(silent).state == "done"
    assert len(remote.posts) == 2


def test_what_was_refused_does_not_sit_out_its_own_wait(following, remote):
    posts(FAILURES)
    remote.stop()
    one_second()
    Binding.objects.update(tries=11, not_before=clock.now() + HOUR)
    let_time_pass()
    sync(following)
    assert not Binding.objects.filter(not_before__isnull=False).exists()
    remote.start()
    let_time_pass()
    assert one_second().message == f"{FAILURES} created."


def test_what_may_have_arrived_waits_until_a_straggler_has_died_and_no_longer(following, remote):
    posts(FAILURES)
    remote.fault(Fault.STATUS, status=500, act=True, times=None)
    one_second()
    Binding.objects.filter(tries=1).update(tries=11)
    let_time_pass()
    remote.clear_journal()
    one_second()
    assert len(requests(remote)) == 1
    again = Binding.objects.get(tries=12).not_before
    left_at, ended_at = Attempt.objects.latest("pk").at, Run.objects.latest("pk").finished_at
    assert again
    assert ended_at
    assert left_at + timedelta(seconds=3) < again <= ended_at + timedelta(seconds=2 * following.timeout)
    assert Binding.objects.filter(unconfirmed=True).count() == FAILURES


def test_an_object_that_turns_out_equal_is_not_a_probe(silent, remote, synced_twin):
    assert one_second() is None
    Post.objects.filter(pk=synced_twin.pk).update(title="twin")
    let_time_pass()
    one_second()
    assert {record["title"] for record in remote.posts.values()} == {"twin", "T0", "T1"}


@pytest.fixture
def synced_twin(silent, remote):
    """A post that the silent target holds, raised as if it had changed; it is what a probe finds first."""
    twin = Post.objects.create(title="twin", body="B")
    record = remote.store.create("posts", {"userId": twin.user_id, "title": "twin", "body": "B"})
    agreed = {"userId": twin.user_id, "title": "twin", "body": "B"}
    route = silent.routes.get(model="news.Post")
    Binding.objects.create(route=route, object_key=str(twin.pk), wanted=1, remote_id=str(record["id"]), agreed=agreed)
    Binding.objects.filter(tries=0).exclude(object_key=str(twin.pk)).update(tries=1)
    Run.objects.all().delete()
    return twin


# --- law 6: one bad record -------------------------------------------------------------------------------------------
@pytest.fixture
def one_fails(following, post, remote):
    """A target whose circuit one object has opened; its probe lies ahead."""
    remote.fault(Fault.STATUS, status=500, times=None, where=lambda body: body.get("title") == "A")
    remote.fault(Fault.STATUS, method="GET", status=500, times=None)
    for _ in range(FAILURES):
        one_second()
        let_time_pass()
    Target.objects.update(probe_at=clock.now() + HOUR)
    return following


def test_one_object_that_always_fails_holds_up_no_other(one_fails, remote):
    assert pace(one_fails) is Pace.FRESH
    Post.objects.create(title="C", body="D")
    assert one_second().message.startswith("Fake API answered 500")
    assert [record["title"] for record in remote.posts.values()] == ["C"]
    assert pace(one_fails) is Pace.GO


def test_of_the_others_one_goes_at_a_time_too(one_fails, remote):
    posts(5, title="C")
    with remote.hold("POST") as held:
        asked, _ = request_run(target=one_fails, trigger=Run.Trigger.CHANGE)
        worker = another_worker(asked)
        held.wait_arrived()
        made = len(requests(remote))
        other, _ = request_run(target=one_fails, trigger=Run.Trigger.CHANGE)
        work(other)
        assert len(requests(remote)) == made
    worker.join(120)
    assert len(remote.posts) == 5


def test_a_second_object_that_fails_shows_that_it_is_the_target(one_fails, remote):
    remote.fault(Fault.STATUS, status=500, times=None)
    Post.objects.create(title="C", body="D")
    made = len(requests(remote))
    one_second()
    assert len(requests(remote)) == made + 1
    put_off()
    assert pace(one_fails) is Pace.STOP
    Post.objects.create(title="E", body="F")
    assert one_second() is None


# --- a person, and other workers -------------------------------------------------------------------------------------
def test_sync_now_probes_at_once(silent, remote):
    assert sync(silent).state == "done"
    assert len(remote.posts) == 2


def test_sync_now_ends_the_wait_that_a_target_asked_for_and_nothing_else_does(silent, remote):
    Target.objects.update(not_before=clock.now() + HOUR)
    assert "next try in 3" in sync_automatically(silent).message
    assert requests(remote) == []
    assert sync(silent).state == "done"
    assert len(remote.posts) == 2


@pytest.mark.parametrize(
    ("change", "fault", "at_once"),
    [
        ({"blocked": "Fake API answered 401"}, Fault.HOLD, 3),
        ({"enabled": False}, Fault.HOLD, 3),
        ({"not_before": clock.now}, Fault.HOLD, 3),
        ({"opened_at": clock.now, "probe_at": clock.now}, Fault.HANG, 1),  # any answer shows that it can be reached
    ],
    ids=["blocked", "off", "waits", "unreachable"],
)
def test_a_worker_that_is_delivering_stops_within_one_batch(
    following, remote, settings, monkeypatch, change, fault, at_once
):
    monkeypatch.setattr(dispatch, "GROWTH", 1)  # what the others deliver meanwhile makes no claim larger
    settings.SYNC_BATCH = at_once
    Target.objects.update(concurrency=at_once, timeout=1)
    following.refresh_from_db()
    posts(100)
    run, _ = request_run(target=following, trigger=Run.Trigger.RETRY)
    with remote.fault(fault, method="POST") as held:
        worker = another_worker(run)
        held.wait_arrived()  # the others go on meanwhile
        values = {name: value() + HOUR if callable(value) else value for name, value in change.items()}
        Target.objects.update(failures=7, **values)
        # What is unreachable is looked at by others too: two that fail are not one bad object.
        Binding.objects.filter(pk__in=Binding.objects.order_by("-pk").values("pk")[:2]).update(tries=1)
        sent = len(remote.posts)
    worker.join(120)
    assert len(remote.posts) <= sent + 2 * at_once < 100
    assert Run.objects.get(pk=run.pk).state == "failed"


# --- operators are notified ------------------------------------------------------------------------------------------
def test_operators_get_one_alert_that_it_is_unhealthy_and_one_that_it_is_healthy_again(following, remote):
    for cycle in range(1, 4):
        posts(20, title=f"cycle {cycle} ")
        broken = remote.fault(Fault.STATUS, status=500, times=None)
        for _ in range(5):
            one_second()
            let_time_pass()
        assert alerts() == ["unhealthy", "healthy"] * (cycle - 1) + ["unhealthy"]
        broken.times = 0
        while one_second() is not None:
            let_time_pass()
        assert alerts() == ["unhealthy", "healthy"] * cycle
        assert len(remote.posts) == 20 * cycle
    assert {alert.target for alert in Alert.objects.all()} == {following}
    assert {alert.reason for alert in Alert.objects.filter(kind="unhealthy")} == {"Fake API answered 500"}


def test_a_target_that_is_blocked_again_and_again_causes_one_alert(target, post, remote):
    for _ in range(3):
        remote.fault(Fault.STATUS, status=401, times=2)
        assert sync(target).message.startswith("Blocked:")
    assert alerts() == ["unhealthy"]
    sync(target)
    assert alerts() == ["unhealthy", "healthy"]


def test_a_route_that_stops_the_target_causes_an_alert_too(target):
    target.routes.filter(model="news.Comment").update(model="gone.Model")
    for _ in range(2):
        sync(target)
    assert alerts() == ["unhealthy"]


def test_a_target_that_stays_unhealthy_in_another_way_causes_one_alert(silent, remote):
    remote.fault(Fault.STATUS, status=401, times=2)
    assert sync(silent).message.startswith("Blocked:")
    assert alerts() == ["unhealthy"]
    assert sync(silent).state == "done"
    assert alerts() == ["unhealthy", "healthy"]
    silent.refresh_from_db()
    assert (silent.opened_at, silent.unhealthy_since) == (None, None)


def test_a_refused_record_is_an_answer_all_the_same(silent, post, remote):
    remote.fault(Fault.STATUS, status=422, times=None)
    sync(silent)
    assert alerts() == ["unhealthy", "healthy"]
    assert binding_of(post).rejected
