"""The ceiling on destruction, law 11: nothing is destroyed in bulk without a person's yes."""

from datetime import timedelta

import pytest
from django.db.models import F

from backoffice.kit import clock
from content.news.models import Comment, Post
from syncer.engine import ceiling
from syncer.engine.claims import claim
from syncer.engine.plan import plan
from syncer.engine.runs import work
from syncer.engine.sender import Sender
from syncer.engine.wake import request_run, sweep
from syncer.models import Alert, Attempt, Binding, Route, Run, Target
from syncer.models.routemap import RouteMap
from syncer.reports.overview import overview
from syncer.reports.states import object_states
from syncer.targets.base import Step
from syncer.targets.rest.deliver import deliver
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, requests

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.law]


def make(number):
    return Post.objects.bulk_create(Post(title=f"Post {n}", body="B", user_id=n) for n in range(1, number + 1))


def route_of(target, model="news.Post"):
    return Route.objects.get(target=target, model=model)


def mistype_the_filter(target):
    """{"user_id__gt": 70} was typed for {"user_id__gt": 7}, and so on: most objects pass no more."""
    Route.objects.filter(target=target, model="news.Post").update(filter={"user_id__gt": 488})


def deletes(remote):
    return [path for method, path in requests(remote) if method == "DELETE"]


@pytest.fixture
def five_hundred(target, remote):
    make(500)
    assert sync(target).message == "500 created."
    remote.clear_journal()
    return target


def test_a_mistyped_filter_deletes_nothing(five_hundred, remote):
    mistype_the_filter(five_hundred)
    run = sync(five_hundred)
    assert (deletes(remote), len(remote.posts)) == ([], 500)
    assert run.state == Run.State.FAILED
    url = f"/admin/syncer/target/{five_hundred.pk}/deletes/"
    why = "more than 20 and more than 10 % of the 500 records"
    assert run.message == f"488 deletes wait for a person: 488 of news.Post, {why}. Review them at {url}"
    assert overview(five_hundred).deletes_why == f"488 of news.Post, {why}"


def test_one_queryset_delete_deletes_nothing_either_and_all_else_goes_on(five_hundred, remote):
    Post.objects.filter(user_id__lte=488).delete()
    Post.objects.filter(user_id=500).update(title="Changed")
    created = Post.objects.create(title="New", body="B")
    Comment.objects.create(post=created, name="N", email="n@example.com", body="B")
    message = sync(five_hundred).message
    assert message.startswith("2 created, 1 updated. 488 deletes wait for a person: ")
    assert deletes(remote) == []


def test_what_waits_wakes_no_worker(five_hundred):
    Post.objects.filter(user_id__lte=488).delete()
    sync(five_hundred)
    assert sweep() == 0


def test_twenty_deletes_go_even_if_they_are_all(target, remote):
    make(20)
    sync(target)
    Post.objects.all().delete()
    assert sync(target).message == "20 deleted."


def test_a_tenth_of_the_records_goes(target, remote):
    make(210)
    sync(target)
    Post.objects.filter(user_id__lte=21).delete()
    assert sync(target).message == "21 deleted."
    Post.objects.filter(user_id__lte=42).delete()  # 21 of 189
    assert sync(target).state == Run.State.FAILED


def test_a_route_may_have_its_own_limit(target, remote):
    make(5)
    sync(target)
    Route.objects.filter(target=target).update(max_deletes=2)
    Post.objects.filter(user_id__lte=3).delete()
    why = "3 of news.Post, more than the 2 that the route allows in one run"
    assert f"3 deletes wait for a person: {why}." in sync(target).message
    Route.objects.filter(target=target).update(max_deletes=3)
    assert sync(target).message == "3 deleted."


def test_what_was_allowed_goes_and_the_permission_ends_with_the_next_record(target, remote):
    posts = make(30)
    sync(target)
    Post.objects.all().delete()
    sync(target)
    Binding.objects.update(delete_allowed=True)
    assert sync(target).message == "30 deleted."
    Post.objects.bulk_create(posts)
    assert sync(target).message == "30 created."
    assert not Binding.objects.filter(delete_allowed=True).exists()


def test_the_slices_of_a_run_count_together(target, remote):
    make(5)
    sync(target)
    Route.objects.filter(target=target).update(max_deletes=3)
    run = Run.objects.create(target=target, trigger=Run.Trigger.COMMAND, state=Run.State.RUNNING)
    Post.objects.filter(user_id__lte=2).delete()
    assert not work(run, seconds=0)
    Post.objects.filter(user_id__lte=4).delete()
    assert work(run)
    run.refresh_from_db()
    assert run.message.startswith("2 deleted. 2 deletes wait for a person: 2 of news.Post, ")


def test_a_program_that_deletes_one_by_one_is_stopped_too(target, remote):
    """Each commit starts a run of its own on a route that follows changes."""
    posts = make(40)
    sync(target)
    Route.objects.filter(target=target).update(trigger="change")
    for post in posts[:30]:
        post.delete()
        run, _ = request_run(target=target, trigger=Run.Trigger.CHANGE)
        work(run)
        Attempt.objects.update(at=clock.now())  # however long it takes here: all within the time that counts
    assert len(remote.posts) == 20
    run.refresh_from_db()
    assert run.message.startswith("10 deletes wait for a person: ")
    assert sweep() == 0
    Attempt.objects.update(at=F("at") - timedelta(seconds=20))
    assert sweep() == 1  # ten are not many


def test_the_children_of_what_waits_wait_too(target, remote):
    """500 comments of others make these 30 few: without their posts they would go."""
    posts = make(31)
    Comment.objects.bulk_create(
        Comment(post=post, name=f"N{n}", email="n@example.com", body="B")
        for n, post in [*enumerate(posts[:30]), *((n, posts[30]) for n in range(300))]
    )
    sync(target)
    remote.clear_journal()
    Post.objects.filter(user_id__lte=30).delete()
    assert "60 deletes wait for a person: 30 of news.Post, " in sync(target).message
    assert deletes(remote) == []


def test_an_object_that_is_deleted_after_its_claim_is_counted(target, remote, post):
    """It was claimed as an update; the delete that it turns out to be needs a claim of its own."""
    sync(target)
    Route.objects.filter(target=target).update(max_deletes=0)
    remote.clear_journal()
    Post.objects.filter(pk=post.pk).update(title="Changed")
    routes = RouteMap(target)
    route = routes.parents_first[0]
    run = Run.objects.create(target=target, trigger=Run.Trigger.COMMAND, state=Run.State.RUNNING)
    plan(routes, route)
    with Sender(target) as sender:
        bindings = claim(routes, Step(route=route), keys=None, limit=10, lease=sender.lease_seconds, run=run)
        Post.objects.filter(pk=post.pk).delete()
        assert deliver(run, routes, route, [bindings], sender)
    assert deletes(remote) == []
    assert sync(target).message.startswith("1 delete waits for a person: ")
    assert binding_of(post).remote_id


def test_operators_are_alerted_once_until_it_is_decided(target, remote):
    make(30)
    sync(target)
    Post.objects.all().delete()
    sync(target)
    sync(target)
    alert = Alert.objects.get()
    assert (alert.kind, alert.outcome, alert.ended_at) == ("deletes", "open", None)
    assert alert.reason.startswith("30 deletes wait for a person: ")
    Route.objects.filter(target=target).update(max_deletes=30)
    sync(target)
    alert.refresh_from_db()
    assert (alert.outcome, alert.ended_at is None) == ("cleared", False)


@pytest.mark.parametrize("switch", ["route", "target", "delete the route", "delete the target"])
def test_a_route_that_is_switched_off_or_deleted_deletes_nothing(target, remote, switch):
    make(3)
    sync(target)
    remote.clear_journal()
    match switch:
        case "route":
            Route.objects.filter(target=target).update(enabled=False)
        case "target":
            Target.objects.filter(pk=target.pk).update(enabled=False)
        case "delete the route":
            Route.objects.filter(target=target).delete()
        case "delete the target":
            target.delete()
            sweep()
            assert requests(remote) == []
            return
    Post.objects.all().delete()
    target.refresh_from_db()
    sync(target)
    assert requests(remote) == []


# --- what pages count: the deletes that runs left to a person ---------------------------------------------------------
def left(target) -> list[str]:
    return [str(item.number) for item in ceiling.left_at(target)]


@pytest.fixture
def gone(waiting):
    """The objects of the five deletes that wait."""
    return [row.instance for row in Post.history.filter(history_type="-").order_by("id")]


def test_a_delete_waits_once_a_run_has_left_it_and_no_more_when_its_object_is_back(waiting, gone):
    assert left(waiting) == ["5"]
    Post.objects.filter(user_id=6).delete()
    Post.objects.bulk_create(gone[:2])
    assert left(waiting) == ["3"]
    sync(waiting)
    assert left(waiting) == ["4"]


def test_of_very_many_deletes_some_are_noted_and_all_are_shown(waiting, gone, monkeypatch):
    monkeypatch.setattr(ceiling, "MOST", 2)
    Binding.objects.update(delete_waits=False)
    sync(waiting)
    assert (left(waiting), Binding.objects.filter(delete_waits=True).count()) == (["more than 2"], 3)
    [states] = object_states(Post, [gone[-1].pk]).values()
    assert [state.why for state in states] == ["its delete is one of many that wait for a person"]
    Post.objects.bulk_create(gone[:1])
    assert left(waiting) == ["at least 2"]
    Route.objects.update(max_deletes=1)
    sync(waiting)
    assert left(waiting) == ["more than 2"]


def test_a_claim_ends_the_note(waiting):
    Binding.objects.update(delete_allowed=True)
    assert left(waiting) == []
    assert sync(waiting).message == "5 deleted."
    assert not Binding.objects.filter(delete_waits=True).exists()
