"""A sync of chosen objects: what it does to their state, and to the others'."""

import pytest

from content.news.models import Post
from syncer.core.state import State
from syncer.engine.runs import run_here
from syncer.models import Binding
from syncer.models.backlog import of_route, pending_pages
from syncer.recovery.recover import recover
from syncer.reports.oldest import oldest_unsent
from syncer.reports.states import having, object_states
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of

pytestmark = pytest.mark.django_db(transaction=True)


def state(post):
    [state] = object_states(Post, [post.pk])[post.pk]
    return state.state


def pending(target):
    """The keys of the pending posts, which pages count, list and show with the same state."""
    route = target.routes.get(model="news.Post")
    listed = {*Binding.objects.filter(having(State.PENDING), route=route).values_list("object_key", flat=True)}
    assert of_route(route).pending == of_route(route, most=10).pending == len(listed)
    assert {str(post.pk) for post in Post.objects.all() if state(post) == "pending"} == listed
    assert [*pending_pages(route)] == ([sorted(listed)] if listed else [])
    oldest = oldest_unsent([route])
    assert (oldest.key if oldest else None) in {*listed, None}
    return listed


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
    assert (state(synced), state(other), binding_of(other).due) == ("in sync", "pending", False)
    assert pending(target) == {str(other.pk)}
    edit(synced, "newest")
    assert pending(target) == {str(synced.pk), str(other.pk)}
    edit(synced, "new")
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


def test_a_recovery_forgets_how_far_single_objects_were_read(target, other, synced):
    edit(synced, "new")
    edit(other, "newer")
    run_here(target, scope={"news.Post": [str(synced.pk)]})
    assert binding_of(synced).read_to is not None
    recover()
    assert binding_of(synced).read_to is None
