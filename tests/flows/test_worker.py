"""The main job with a real worker: django-q2's cluster in a process of its own."""

import pytest

from content.news.models import Comment, Post
from syncer.asking import ask
from syncer.models import Run
from syncer.wake import wake
from tests.flows.wait import until
from tests.flows.worker import Worker
from tests.remote import Fault
from tests.syncer.conftest import target  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 30


def test_a_save_arrives_by_itself_where_the_route_follows_changes(remote, target):  # noqa: F811
    target.routes.update(trigger="change")
    with Worker():
        post = Post.objects.create(title="A", body="B")
        Comment.objects.create(post=post, name="N", email="n@example.com", body="C")
        remote.wait_for(lambda: len(remote.writes()) == 2, SECONDS)
        post.delete()
        remote.wait_for(lambda: len(remote.writes()) == 4, SECONDS)
    assert remote.posts == remote.comments == {}


@pytest.mark.slow
def test_a_manual_route_waits_for_sync_now(remote, target):  # noqa: F811
    Post.objects.create(title="A", body="B")
    with Worker():
        run = wake(target=target, trigger=Run.Trigger.MANUAL)
        until(lambda: Run.objects.get(pk=run.pk).finished_at, seconds=SECONDS)
    assert Run.objects.get(pk=run.pk).message == "1 created."


@pytest.mark.slow
def test_a_failed_delivery_is_tried_again_by_itself(remote, target):  # noqa: F811
    Post.objects.create(title="A", body="B")
    remote.fault(Fault.STATUS, method="POST", status=429)
    with Worker():
        wake(target=target, trigger=Run.Trigger.MANUAL)
        remote.wait_for(lambda: remote.posts, SECONDS)


def test_a_lost_wake_up_is_found_by_the_sweep(remote, target):  # noqa: F811
    """The run was asked for, but its task never reached the queue."""
    Post.objects.create(title="A", body="B")
    ask(target=target, trigger=Run.Trigger.MANUAL)
    with Worker(SYNC_LEASE_SECONDS="1"):
        remote.wait_for(lambda: remote.posts, SECONDS)
