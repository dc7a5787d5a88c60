"""The main job with a real worker: django-q2's cluster in a process of its own."""

import pytest

from content.news.models import Comment, Post
from syncer.engine.wake import request_run, wake
from syncer.models import Run
from tests.flows.wait import SECONDS, until
from tests.flows.worker import Worker
from tests.remote import Fault
from tests.syncer.conftest import target  # noqa: F401

pytestmark = [pytest.mark.law, pytest.mark.django_db(transaction=True)]


def test_a_worker_does_the_main_job(remote, target, settings):  # noqa: F811
    """One after the other, because starting a worker takes longer than all of it."""
    settings.SYNC_LEASE_SECONDS = 1  # of a run that is requested here and never reaches the queue
    with Worker(SYNC_LEASE_SECONDS="1"):
        a_save_arrives_by_itself_where_the_route_follows_changes(remote, target)
        a_manual_route_waits_for_sync_now(target)
        a_failed_delivery_is_tried_again_by_itself(remote, target)
        a_lost_wake_up_is_found_by_the_sweep(remote, target)


def a_save_arrives_by_itself_where_the_route_follows_changes(remote, target):  # noqa: F811
    target.routes.update(trigger="change")
    post = Post.objects.create(title="A", body="B")
    Comment.objects.create(post=post, name="N", email="n@example.com", body="C")
    remote.wait_for(lambda: len(remote.writes()) == 2, SECONDS)
    post.delete()
    remote.wait_for(lambda: len(remote.writes()) == 4, SECONDS)
    assert remote.posts == remote.comments == {}
    target.routes.update(trigger="manual")


def a_manual_route_waits_for_sync_now(target):  # noqa: F811
    until(lambda: not Run.objects.filter(finished_at=None).exists())  # no other may take it along
    Post.objects.create(title="By hand", body="B")
    run = wake(target=target, trigger=Run.Trigger.MANUAL)
    until(lambda: Run.objects.get(pk=run.pk).finished_at)
    assert Run.objects.get(pk=run.pk).message == "1 created."


def a_failed_delivery_is_tried_again_by_itself(remote, target):  # noqa: F811
    Post.objects.create(title="Failed", body="B")
    remote.fault(Fault.STATUS, method="POST", status=429)
    wake(target=target, trigger=Run.Trigger.MANUAL)
    remote.wait_for(lambda: has(remote, "Failed"), SECONDS)


def a_lost_wake_up_is_found_by_the_sweep(remote, target):  # noqa: F811
    """The run was asked for, but its task never reached the queue."""
    until(lambda: not Run.objects.filter(finished_at=None).exists())  # no other may take it along
    Post.objects.create(title="Lost", body="B")
    request_run(target=target, trigger=Run.Trigger.MANUAL)
    remote.wait_for(lambda: has(remote, "Lost"), SECONDS)


def has(remote, title):
    return title in [post["title"] for post in remote.posts.values()]
