"""A create whose answer was lost on the way back from a node of our own, which honors Idempotency-Keys."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from backoffice.accounts.models import User
from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.models import Attempt, Binding, Route, Target
from tests.flows.pair.way import Way
from tests.serving import serving
from tests.syncer.support import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)

OURS, DEFAULT = 7, 99999942  # users of posts: what travels, and what the node gives a post that names none


class LosingWay(Way):
    """The way to the node: it loses the first answer to a new post."""

    def fault(self, path: str, choice: random.Random) -> str:
        return "reset done" if path.endswith("/posts/") and not self.posts() else ""

    def posts(self) -> list[int | None]:
        """What the node answered to new posts."""
        return [one.status for one in self._journal if one.path.endswith("/posts/")]


@pytest.fixture
def way(live_server: Any) -> Iterator[LosingWay]:
    way = LosingWay(live_server.url, seed="", rate=0.0)
    with serving(way):
        yield way


@pytest.fixture
def target(way: LosingWay, monkeypatch: pytest.MonkeyPatch) -> Target:
    """This very node as its own target: what it takes for another's has another user, and does not travel on."""
    user = User.objects.create_user("sync", password="the-password")
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_post"))
    monkeypatch.setenv("SYNC_PASSWORD", "the-password")
    target = Target.objects.create(name="node", url=f"{way.url}/api", auth="jwt", auth_user="sync")
    Target.objects.update(auth_secret="env:SYNC_PASSWORD", auth_url="/api/token/")
    target.refresh_from_db()
    fields, only = {"title": "title", "body": "body"}, {"user_id": OURS}
    Route.objects.create(
        target=target, model="news.Post", path="/news/posts/", fields=fields, filter=only, key_hours=24
    )
    return target


def test_the_node_answers_the_repeat_as_it_did_the_first_time(way, target):
    post = Post.objects.create(user_id=OURS, title="A “quoted” ü", body="B")
    assert run_here(target).state == "failed"
    let_time_pass()
    assert run_here(target).message == "1 created."
    assert way.posts() == [201, 201]
    made = Post.objects.get(user_id=DEFAULT)
    assert Binding.objects.get(object_key=str(post.pk)).remote_id == str(made.pk)
    actions = Attempt.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["create", "replay"]
