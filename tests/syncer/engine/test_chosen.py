"""A sync of chosen objects: what it does to their state, and to the others'."""

import pytest

from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.reports.states import object_states
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of

pytestmark = pytest.mark.django_db(transaction=True)


def state(post):
    [state] = object_states(Post, [post.pk])[post.pk]
    return state.state


def edit(post, body):
    post.body = body
    post.save()


@pytest.fixture
def other(target):
    return Post.objects.create(title="Other", body="B")


def test_an_object_that_alone_changed_is_in_sync_after_a_sync_of_its_own(target, synced):
    edit(synced, "new")
    run_here(target, scope={"news.Post": [str(synced.pk)]})
    assert state(synced) == "in sync"


def test_what_else_changed_is_left_to_the_next_sync(target, other, synced, remote):
    edit(synced, "new")
    edit(other, "newer")
    run_here(target, scope={"news.Post": [str(synced.pk)]})
    assert (state(other), binding_of(other).due) == ("pending", False)
    assert [entry.path for entry in remote.writes()] == [f"/posts/{binding_of(synced).remote_id}"]
    sync(target)
    assert (state(synced), state(other)) == ("in sync", "in sync")
    assert len(remote.writes()) == 2


def test_a_change_that_comes_meanwhile_is_left_to_the_next_sync(target, other, synced, monkeypatch):
    edit(synced, "new")
    monkeypatch.setattr("syncer.models.mark.changes_others", lambda *_, **__: edit(other, "newer"))
    run_here(target, scope={"news.Post": [str(synced.pk)]})
    assert state(other) == "pending"
    sync(target)
    assert (state(synced), state(other)) == ("in sync", "in sync")
