"""Leases and fencing: who holds a binding, and what a late worker can still do."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import F
from django_q.models import OrmQ

from backoffice.kit import clock
from content.news.models import Post
from syncer.engine.claims import claim
from syncer.engine.plan import plan
from syncer.engine.runs import run_here, work, work_run
from syncer.engine.settling import write
from syncer.engine.wake import request_run, sweep
from syncer.models import Binding, Run, Target
from syncer.models.routemap import RouteMap
from syncer.targets.base import Step
from tests.flows.wait import until
from tests.syncer.support import another_worker

pytestmark = pytest.mark.django_db(transaction=True)
LEASE = 1.0  # seconds


@pytest.fixture
def planned(target):
    """A post that was planned, and its route."""
    Post.objects.create(title="A", body="B")
    routes = RouteMap(target)
    plan(routes, routes.parents_first[0])
    return routes


def take(routes, lease=LEASE, keys=None):
    return claim(routes, Step(route=routes.parents_first[0]), keys=keys, limit=10, lease=lease)


def test_what_one_worker_holds_no_other_takes(planned):
    assert len(take(planned)) == 1
    assert take(planned) == []


def test_a_lease_that_ran_out_is_taken_over_and_the_late_worker_settles_nothing(planned):
    (late,) = take(planned, lease=0)
    (successor,) = take(planned)
    assert successor.token == late.token + 1
    assert successor.claim.was, "the first one may have sent something"
    assert write([(late, {"reason": "late"})]) == set()
    assert write([(successor, {"reason": "in time"})]) == {successor.pk}
    assert Binding.objects.get().reason == "in time"


@pytest.mark.parametrize("column", ["on_hold", "in_doubt"])
def test_what_a_person_must_look_at_is_not_taken(planned, column):
    Binding.objects.update(**{column: True})
    assert take(planned) == []


def test_chosen_keys_are_taken_and_no_others(planned):
    assert take(planned, keys=["0"]) == []
    assert len(take(planned, keys=[str(Post.objects.get().pk)])) == 1


def test_a_run_ends_only_when_what_others_hold_is_settled(remote, target, planned):
    take(planned)
    assert run_here(target).state == "done"
    assert len(remote.posts) == 1


def test_a_run_does_not_end_over_a_lease_that_ran_out_during_its_pass(remote, target, planned):
    take(planned)
    lease_until, claims = Binding.objects.get().lease_until, []
    assert lease_until

    def claim_slowly(execute, sql, *args):
        found = execute(sql, *args)
        if sql.startswith("SELECT") and '"lease_until" <' in sql:
            claims.append(sql)
            until(lambda: clock.now() > lease_until)
        return found

    with connection.execute_wrapper(claim_slowly):
        assert run_here(target).state == "done"
    assert claims, "the statement of a claim is recognized by its condition"
    assert len(remote.posts) == 1


def test_a_run_whose_task_or_worker_is_gone_is_woken_once_when_its_lease_ends(target):
    request_run(target=target, trigger=Run.Trigger.MANUAL)
    Run.objects.create(target=target, trigger=Run.Trigger.CHANGE, state=Run.State.RUNNING)
    assert sweep() == 0
    Run.objects.update(lease_until=F("lease_until") - timedelta(seconds=settings.SYNC_LEASE_SECONDS))
    assert sweep() == 2
    assert OrmQ.objects.count() == 2
    assert sweep() == 0


def test_a_run_keeps_its_lease_through_a_request_that_takes_longer(remote, target, planned, settings):
    settings.SYNC_LEASE_SECONDS = 0.6
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    with remote.hold("POST") as held:
        worker = another_worker(run)
        held.wait_arrived()
        until(lambda: Run.objects.get().lease_until > run.lease_until + timedelta(seconds=1.5), seconds=20)
    worker.join(60)
    assert Run.objects.get().state == "done"


@pytest.mark.postgres
def test_two_workers_share_one_run_and_send_nothing_twice(remote, target):
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(250))
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    for worker in [another_worker(run) for _ in range(2)]:
        worker.join(120)
    assert len(remote.writes()) == len(remote.posts) == 250
    run.refresh_from_db()
    assert (run.state, run.counts["created"]) == ("done", 250)


def test_a_person_who_asks_makes_the_waiting_run_theirs(target, django_user_model):
    editor = django_user_model.objects.create_user("editor")
    request_run(target=target, trigger=Run.Trigger.CHANGE)
    run, is_new = request_run(target=target, trigger=Run.Trigger.MANUAL, user=editor)
    assert (run.trigger, run.user, is_new) == ("manual", "editor", False)


def test_a_run_that_nobody_asked_for_and_that_had_nothing_to_do_is_gone_after_the_next(target):
    runs = []
    for _ in range(2):
        run, _ = request_run(target=target, trigger=Run.Trigger.CHANGE)
        assert work(run)
        runs.append(run.pk)
    assert list(Run.objects.values_list("pk", flat=True)) == runs[1:]


def test_a_run_that_ended_is_not_opened_again(target):
    run = run_here(target)
    assert work(Run.objects.get(pk=run.pk))
    assert Run.objects.get(pk=run.pk).state == "done"


def test_a_run_that_became_a_persons_plans_all_routes(remote, target):
    Post.objects.create(title="A", body="B")
    stale, _ = request_run(target=target, trigger=Run.Trigger.CHANGE)
    request_run(target=target, trigger=Run.Trigger.MANUAL)
    work(stale)
    assert len(remote.posts) == 1


def test_asking_for_a_target_that_is_gone_is_an_error(target):
    gone = Target(pk=0, name="gone")
    with pytest.raises(IntegrityError):
        request_run(target=gone, trigger=Run.Trigger.CHANGE)
    target.refresh_from_db()


def test_an_error_of_the_program_closes_the_run_and_lets_the_target_rest(target):
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    target.routes.update(fields=["not", "a", "map"])
    began = clock.now()
    work_run(run.pk)
    run.refresh_from_db()
    target.refresh_from_db()
    assert (run.state, run.message) == ("failed", "An error in the program ended this run; the worker's log has it.")
    assert target.not_before > began


def test_a_route_whose_domain_is_gone_blocks_the_target(target):
    target.routes.filter(model="news.Comment").update(model="gone.Model")
    assert "carries gone.Model, which is not installed here" in run_here(target).message


def test_the_chosen_objects_are_synced_and_no_others(remote, target):
    first, _ = (Post.objects.create(title=title, body="B") for title in "AC")
    run = run_here(target, scope={"news.Post": [str(first.pk)]})
    assert (run.state, [record["title"] for record in remote.posts.values()]) == ("done", ["A"])
