import pytest
from django.core.management import CommandError, call_command

from content.news.models import Comment, Post
from syncer.models import Binding
from tests.remote import Fault
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(remote):
    for number in range(1, 4):
        remote.store.create("posts", {"userId": number, "title": f"T{number}", "body": "B"})
    remote.store.delete("posts", 2)
    remote.store.create("comments", {"postId": 3, "name": "N", "email": "n@example.com", "body": "B"})


def test_the_remote_ids_become_ours(target, filled):
    call_command("sync_import", "fakeapi")
    assert list(Post.objects.order_by("pk").values_list("pk", "user_id", "title")) == [(1, 1, "T1"), (3, 3, "T3")]
    assert Comment.objects.get().post_id == 3
    assert Post.history.count() == 2


def test_what_was_loaded_is_not_pushed_back(remote, target, filled):
    call_command("sync_import", "fakeapi")
    sync(target)
    assert remote.writes() == []
    Post.objects.filter(pk=3).update(title="C")
    sync(target)
    assert [(entry.method, entry.path) for entry in remote.writes()] == [("PUT", "/posts/3")]


def test_a_loaded_post_is_deleted_after_its_comments(remote, target, filled):
    call_command("sync_import", "fakeapi")
    Post.objects.get(pk=3).delete()
    sync(target)
    assert [(entry.method, entry.path) for entry in remote.writes()] == [
        ("DELETE", "/comments/1"),
        ("DELETE", "/posts/3"),
    ]


def test_the_next_id_lies_behind_those_that_were_loaded(target, filled):
    call_command("sync_import", "fakeapi")
    assert Post.objects.create(title="new", body="B").pk > 3


def test_a_first_load_refuses_tables_that_are_not_empty(remote, target, filled):
    Post.objects.create(title="mine", body="B")
    with pytest.raises(CommandError, match=r"rows in: news\.Post"):
        call_command("sync_import", "fakeapi")
    assert not remote.journal


@pytest.mark.parametrize("fault", [{"kind": Fault.STATUS, "status": 500}, {"kind": Fault.HTML}, {"kind": Fault.EMPTY}])
def test_an_answer_that_is_not_a_list_writes_nothing(remote, target, filled, fault):
    remote.fault(**fault, path="/comments")
    with pytest.raises(CommandError, match="Nothing was written"):
        call_command("sync_import", "fakeapi")
    assert not Post.objects.exists()
    assert not Binding.objects.exists()


def test_a_record_that_is_not_valid_here_is_named_and_nothing_is_written(remote, target, filled):
    remote.store.create("posts", {"userId": 1, "title": " ", "body": "B"})
    with pytest.raises(CommandError, match=r"news\.Post 4: title"):
        call_command("sync_import", "fakeapi")
    assert not Post.objects.exists()


@pytest.mark.parametrize("title", ["\0", "\ud800", float("inf"), float("nan")], ids=["NUL", "half", "infinite", "none"])
def test_a_record_that_no_database_can_keep_is_named_and_nothing_is_written(remote, target, title):
    remote.fault(Fault.STATUS, status=200, body=[{"id": 1, "userId": 1, "title": title, "body": "B"}])
    with pytest.raises(CommandError, match="holds in title what can't be kept here"):
        call_command("sync_import", "fakeapi")
    assert not Post.objects.exists()


def test_a_record_whose_parent_is_missing_is_named_and_nothing_is_written(remote, target, filled):
    remote.store.create("comments", {"postId": 99, "name": "N", "email": "n@example.com", "body": "B"})
    with pytest.raises(CommandError, match=r"news\.Comment 2: post: the target lists no record 99"):
        call_command("sync_import", "fakeapi")
    assert not Post.objects.exists()


def test_a_record_without_an_id_is_named_and_nothing_is_written(remote, target, filled):
    remote.fault(Fault.STATUS, path="/posts", status=200, body=[{"title": "T"}])
    with pytest.raises(CommandError, match="without a readable 'id'"):
        call_command("sync_import", "fakeapi")
    assert not Post.objects.exists()


def test_a_record_that_is_listed_twice_is_one_as_it_was_listed_last(remote, target):
    """Pages shift while they are read, when others are added or deleted."""
    post = {"id": 1, "userId": 1, "title": "T", "body": "B"}
    remote.fault(Fault.STATUS, path="/posts", status=200, body=[post, {**post, "id": 2}, {**post, "title": "newer"}])
    call_command("sync_import", "fakeapi")
    assert list(Post.objects.order_by("pk").values_list("pk", "title")) == [(1, "newer"), (2, "T")]
    assert list(Binding.objects.order_by("object_key").values_list("agreed__title", flat=True)) == ["newer", "T"]


def test_ids_are_compared_by_their_text(remote, target):
    """Some servers write an id as a number in one list, and as a text in another."""
    post = {"id": "1", "userId": 1, "title": "T", "body": "B"}
    comment = {"id": 1, "postId": 1, "name": "N", "email": "n@example.com", "body": "B"}
    remote.fault(Fault.STATUS, path="/posts", status=200, body=[post, {**post, "id": 1}])
    remote.fault(Fault.STATUS, path="/comments", status=200, body=[comment, {**comment, "id": "1", "postId": "1"}])
    call_command("sync_import", "fakeapi")
    assert list(Comment.objects.values_list("pk", "post__title")) == [(1, "T")]
    assert Binding.objects.filter(parent__object_key="1").count() == 1


def test_a_first_load_after_all_was_deleted_on_both_sides(remote, target, filled):
    call_command("sync_import", "fakeapi")
    Post.objects.all().delete()
    with pytest.raises(CommandError, match="still have records at the target"):
        call_command("sync_import", "fakeapi")
    sync(target)
    remote.store.load("/posts", [{"id": 3, "userId": 1, "title": "back", "body": "B"}])
    call_command("sync_import", "fakeapi")
    assert Post.objects.get().title == "back"
