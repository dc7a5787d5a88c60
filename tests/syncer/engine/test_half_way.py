"""What is overtaken, or fails, half-way: a plan, a delivery, a lease, a record that has another id since."""

import pytest
from django.db import DatabaseError, connection

from content.news.models import Comment, Post
from syncer.engine.claims import claim
from syncer.engine.plan import plan
from syncer.engine.sender import Sender
from syncer.engine.wake import request_run
from syncer.models import Binding, Run
from syncer.models.routemap import RouteMap
from syncer.targets.base import Step
from syncer.targets.rest.deliver import deliver
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, requests, started

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 30
# The database itself refuses to raise `wanted`, as if its disk were full.
FULL = {
    "sqlite": [
        "CREATE TRIGGER full_disk BEFORE UPDATE OF wanted ON syncer_binding BEGIN SELECT RAISE(ABORT, 'full'); END",
        "DROP TRIGGER full_disk",
    ],
    "postgresql": [
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$;
        CREATE TRIGGER full_disk BEFORE UPDATE ON syncer_binding FOR EACH ROW EXECUTE FUNCTION full_disk()""",
        "DROP FUNCTION full_disk CASCADE",
    ],
}


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_plan_that_fails_half_way_moves_no_mark(remote, target, synced):
    Post.objects.filter(pk=synced.pk).update(title="C")
    routes = RouteMap(target)
    begin, end = FULL[connection.vendor]
    execute(begin)
    try:
        with pytest.raises(DatabaseError, match="full"):
            plan(routes, routes.parents_first[0])
    finally:
        execute(end)
    assert sync(target).state == "done"
    assert remote.posts[1]["title"] == "C"


def test_an_edit_that_is_planned_while_the_one_before_is_under_way_follows(remote, target, synced):
    Post.objects.filter(pk=synced.pk).update(title="C")
    routes = RouteMap(target)
    with remote.hold("PUT", "/posts/1", act=True) as held:
        under_way = started(lambda: sync(target))
        held.wait_arrived()
        Post.objects.filter(pk=synced.pk).update(title="D")
        assert plan(routes, routes.parents_first[0]) == 1
    under_way.join(SECONDS)
    sync(target)
    assert remote.posts[1]["title"] == "D"


def test_nothing_leaves_in_a_lease_that_ends_before_the_request_must_have(remote, target, post):
    routes = RouteMap(target)
    route = routes.parents_first[0]
    plan(routes, route)
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    with Sender(target) as sender:
        bindings = claim(routes, Step(route=route), keys=None, limit=1, lease=sender.client.request_seconds)
        deliver(run, routes, route, [bindings], sender)
    assert requests(remote) == []
    assert (binding_of(post).unconfirmed, binding_of(post).create_key) == (False, None)


def test_a_child_that_nobody_edited_gets_the_new_id_of_its_parent(remote, target, synced):
    Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    sync(target)
    remote.store.delete("posts", 1)
    Post.objects.filter(pk=synced.pk).update(title="C")
    assert sync(target).state == "done"
    assert [record["postId"] for record in remote.comments.values()] == [2]


def test_a_parent_that_is_deleted_after_its_claim_waits_for_its_children(remote, target, synced):
    comment = Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    key, row = str(comment.pk), binding_of(synced)
    synced.delete()
    routes = RouteMap(target)
    posts, comments = routes.parents_first
    for route in (posts, comments):
        plan(routes, route)
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    bindings = claim(routes, Step(route=posts), keys=None, limit=1, lease=300)
    assert bindings[0].deletes
    # Meanwhile another worker, which had the comment before, gets the answer to its create.
    remote.store.create("comments", {"postId": 1, "name": "N"})
    Binding.objects.update_or_create(
        route=comments, object_key=key, defaults={"remote_id": "1", "last_remote_id": "1", "parent": row, "wanted": 1}
    )
    with Sender(target) as sender:
        deliver(run, routes, posts, [bindings], sender)
    assert requests(remote) == []
    assert sync(target).state == "done"
    assert requests(remote) == [("DELETE", "/comments/1"), ("DELETE", "/posts/1")]


def test_what_waits_for_its_children_keeps_nothing_else_of_its_claim_from_the_target(target, remote, settings):
    settings.SYNC_BATCH = 2
    first, second = (Post.objects.create(user_id=1, title=title, body="T") for title in "AB")
    sync(target)
    parent, other = binding_of(first), binding_of(second)
    Post.objects.all().delete()
    routes = RouteMap(target)
    route, below = routes.parents_first
    plan(routes, route)
    claimed = claim(routes, Step(route=route), keys=None, limit=2, lease=60)
    Binding.objects.create(route=below, object_key="1", parent=parent, remote_id="1")  # since the claim
    run = Run.objects.create(target=target)
    with Sender(target) as sender:
        deliver(run, routes, route, [sorted(claimed, key=lambda binding: binding.pk)], sender)
    assert list(remote.posts) == [int(parent.remote_id)]
    assert Binding.objects.get(pk=other.pk).remote_id is None
