"""Planners of several routes at once: none waits for another in a circle."""

import threading

import pytest
from django.db import connection, transaction

from content.news.models import Comment, Post
from syncer.models import Binding, Route
from syncer.plan import plan, raise_keys
from syncer.routemap import RouteMap
from tests.content.locks import blocked_sessions
from tests.flows.wait import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
SECONDS = 20


def test_a_planner_and_one_that_raises_the_same_children_do_not_wait_for_each_other(target):
    """The one holds its route's row, which the other's new bindings name; that waits for a binding of the other."""
    post = Post.objects.create(title="A", body="B")
    comment = Comment.objects.create(post=post, name="N", email="n@example.com", body="C")
    route = Route.objects.get(model="news.Comment")
    failed: list[BaseException] = []

    def plan_comments() -> None:
        try:
            plan(RouteMap(target), route)
        except BaseException as error:  # noqa: BLE001 - told in the other thread
            failed.append(error)
        finally:
            connection.close()

    planner = threading.Thread(target=plan_comments)
    with transaction.atomic():
        raise_keys(route, [str(comment.pk)])
        planner.start()
        until(blocked_sessions, seconds=SECONDS)
    planner.join(SECONDS)
    assert not failed
    assert Binding.objects.get(route=route).wanted == 2
