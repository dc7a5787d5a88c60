"""What a person decides about deletes that wait: to allow exactly those shown, or to undo the edits."""

import pytest
from django.contrib.admin.models import LogEntry

from content.news.models import Comment, Post
from syncer.core.errors import NotPossibleError
from syncer.models import Alert, Binding, Route, Run
from syncer.recovery.deletes import allow, review, undo
from tests.syncer.conftest import sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.law]


@pytest.fixture
def thirty(target, remote):
    """Thirty posts in sync, the first with a comment; more than two deletes wait."""
    posts = Post.objects.bulk_create(Post(title=f"Post {n}", body="B", user_id=n) for n in range(1, 31))
    Comment.objects.create(post=posts[0], name="N", email="n@example.com", body="B")
    sync(target)
    Route.objects.filter(target=target).update(max_deletes=2)
    remote.clear_journal()
    return target


def contents():
    return sorted(Post.objects.values_list("pk", "title", "user_id"))


def test_what_was_shown_and_allowed_is_deleted(thirty, remote, admin_user):
    Post.objects.filter(user_id__lte=10).delete()
    sync(thirty)
    seen = review(thirty)
    assert [len(deletes) for _, deletes in seen.by_route()] == [10, 1]  # the comment waits with its post
    assert allow(thirty, seen.digest, user=admin_user) == 11
    assert sync(thirty).message == "11 deleted."
    assert (len(remote.posts), len(remote.comments)) == (20, 0)
    assert LogEntry.objects.get().change_message == "Allowed 11 deletes."


def test_other_deletes_than_those_shown_are_asked_about_again(thirty, remote):
    Post.objects.filter(user_id__lte=10).delete()
    sync(thirty)
    digest = review(thirty).digest
    Post.objects.filter(user_id=11).delete()
    sync(thirty)
    with pytest.raises(NotPossibleError, match="has changed since you looked"):
        allow(thirty, digest, user=None)
    with pytest.raises(NotPossibleError, match="has changed since you looked"):
        undo(thirty, digest, user=None)
    assert not Binding.objects.filter(delete_allowed=True).exists()
    assert len(remote.posts) == 30


def test_deletes_that_come_after_the_permission_wait_for_one_of_their_own(thirty, remote):
    Post.objects.filter(user_id__lte=10).delete()
    sync(thirty)
    allow(thirty, review(thirty).digest, user=None)
    Post.objects.filter(user_id__gt=25).delete()
    assert sync(thirty).message.startswith("11 deleted. 5 deletes wait for a person: 5 of news.Post, ")
    assert len(remote.posts) == 20


def test_nothing_can_be_decided_where_nothing_waits(thirty):
    assert review(thirty).digest == ""
    with pytest.raises(NotPossibleError, match="has changed since you looked"):
        allow(thirty, "", user=None)


def test_deleted_objects_are_restored_under_their_keys_and_nothing_is_sent(thirty, remote):
    before = contents()
    Post.objects.filter(user_id__lte=10).delete()
    sync(thirty)
    assert undo(thirty, review(thirty).digest, user=None) == 11
    assert contents() == before
    assert Comment.objects.get().post.title == "Post 1"
    assert Post.history.first().history_change_reason == "Undone: it was not to be deleted at fakeapi"
    assert sync(thirty).state == Run.State.DONE
    assert remote.writes() == []
    assert Alert.objects.get().ended_at


def test_edited_objects_go_back_to_what_the_target_holds(thirty, remote):
    Route.objects.filter(target=thirty, model="news.Post").update(filter={"user_id__lt": 1000})
    sync(thirty)
    before = contents()
    Post.objects.filter(user_id__lte=10).update(user_id=5000)
    sync(thirty)
    undo(thirty, review(thirty).digest, user=None)
    assert contents() == before
    assert sync(thirty).state == Run.State.DONE
    assert remote.writes() == []


def test_a_changed_filter_is_undone_in_the_form_alone(thirty, remote):
    Route.objects.filter(target=thirty, model="news.Post").update(filter={"user_id__gt": 20})
    sync(thirty)
    with pytest.raises(NotPossibleError, match=r"^21 of these objects .* correct it in the form of the route"):
        undo(thirty, review(thirty).digest, user=None)
    assert len(contents()) == 30
    Route.objects.filter(target=thirty, model="news.Post").update(filter={})
    assert sync(thirty).state == Run.State.DONE
    assert remote.writes() == []


def test_what_the_person_may_not_restore_restores_nothing(thirty, django_user_model):
    Post.objects.filter(user_id__lte=10).delete()
    sync(thirty)
    person = django_user_model.objects.create_user("somebody")
    with pytest.raises(
        NotPossibleError, match=r"Nothing was undone.*You need the permission news.add_post.*And 6 more"
    ):
        undo(thirty, review(thirty).digest, user=person)
    assert Post.objects.count() == 20


def test_a_parent_that_waits_for_its_children_is_shown_and_restored_with_them(thirty, remote):
    """One post is not too many, but its three comments are."""
    post = Post.objects.get(user_id=1)
    for n in range(2):
        Comment.objects.create(post=post, name=f"M{n}", email="n@example.com", body="B")
    sync(thirty)
    post.delete()
    assert "3 deletes wait for a person: 3 of news.Comment, " in sync(thirty).message
    seen = review(thirty)
    assert [len(deletes) for _, deletes in seen.by_route()] == [1, 3]
    undo(thirty, seen.digest, user=None)
    assert (Post.objects.count(), Comment.objects.count()) == (30, 3)
    assert sync(thirty).state == Run.State.DONE
