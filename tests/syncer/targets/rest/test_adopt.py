"""Both sides hold data before they first meet: what is equal is bound, what differs is left to a person."""

import pytest

from content.news.models import Comment, Post
from syncer.models import Binding, Route
from syncer.targets.rest import doubt
from tests.remote import Dialect, Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)
USER = 99999942


@pytest.fixture(autouse=True)
def adopting(target):
    target.routes.update(existing="adopt")


def there(remote, title, body="B", **fields):
    return remote.store.create("posts", {"userId": USER, "title": title, "body": body, **fields})["id"]


def here(*titles):
    return [Post.objects.create(title=title, body="B") for title in titles]


def test_equal_records_are_bound_and_nothing_is_sent(target, remote):
    posts = here(*(f"T{number}" for number in range(20)))
    ids = [there(remote, f" t{number} ", author="somebody") for number in range(20)]
    comment = Comment.objects.create(post=posts[3], name="N", email="n@example.com", body="B")
    remote.store.create("comments", {"postId": ids[3], "name": "N", "email": "N@Example.com", "body": "B"})
    run = sync(target)
    assert (run.state, remote.writes()) == ("done", [])
    assert [binding_of(post).remote_id for post in posts] == [str(remote_id) for remote_id in ids]
    assert (binding_of(comment).remote_id, binding_of(comment).parent) == ("1", binding_of(posts[3]))
    posts[0].title = "changed"
    posts[0].save()
    sync(target)
    assert [entry.method for entry in remote.writes()] == ["PUT"]


def test_what_is_not_there_is_created_and_what_differs_waits_for_a_person(target, remote):
    same, differs, new = here("same", "differs", "new")
    there(remote, "same")
    other = there(remote, "differs", body="theirs")
    sync(target)
    assert [entry.body["title"] for entry in remote.writes()] == ["new"]
    assert [binding_of(post).in_doubt for post in (same, differs, new)] == [False, True, False]
    assert binding_of(differs).candidates == [
        {"id": str(other), "shown": {"userId": USER, "title": "differs", "body": "theirs"}}
    ]
    sync(target)
    assert len(remote.writes()) == 1


def test_a_child_whose_parent_waits_for_a_person_is_looked_up_once_the_parent_is_decided(target, remote):
    (post,) = here("A")
    there(remote, "A", body="theirs")
    comment = Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    remote.store.create("comments", {"postId": 1, "name": "N", "email": "n@example.com", "body": "B"})
    sync(target)
    doubt.decide(binding=binding_of(post), remote_id=1)
    assert sync(target).state == "done"
    assert (binding_of(comment).remote_id, len(remote.comments), len(remote.posts)) == ("1", 1, 1)


def test_several_records_that_fit_are_left_to_a_person(target, remote):
    (post,) = here("A")
    there(remote, "A")
    there(remote, "A")
    sync(target)
    assert (binding_of(post).in_doubt, len(binding_of(post).candidates), remote.writes()) == (True, 2, [])


def test_one_record_is_never_given_to_two_objects(target, remote):
    here("A", "A")
    there(remote, "A")
    sync(target)
    assert set(Binding.objects.values_list("remote_id", flat=True)) == {"1", "2"}


def test_a_route_that_overwrites_sends_ours(target, remote):
    target.routes.update(existing="overwrite")
    here("same", "differs")
    there(remote, "same")
    there(remote, "differs", body="theirs")
    assert sync(target).state == "done"
    assert [(entry.method, entry.body["title"]) for entry in remote.writes()] == [("PUT", "differs")]
    assert len(remote.posts) == 2


def test_a_route_that_does_not_look_creates_beside_them(target, remote):
    target.routes.update(existing="create")
    here("A")
    there(remote, "A")
    sync(target)
    assert (requests(remote), len(remote.posts)) == ([("POST", "/posts")], 2)


def test_the_list_is_read_once(target, remote):
    here("A")
    sync(target)
    assert requests(remote) == [("GET", "/posts"), ("POST", "/posts")]
    remote.clear_journal()
    here("B")
    sync(target)
    assert requests(remote) == [("POST", "/posts")]


@pytest.mark.parametrize(
    ("fault", "is_blocked"),
    [
        ({"status": 503}, False),
        ({"status": 404}, False),
        ({"status": 403}, True),
        ({"status": 200, "body": {"data": []}}, True),
        ({"status": 200, "body": [{"_id": 1, "title": "A"}]}, True),
        ({"status": 200, "body": [{"id": 1}]}, True),
        ({"status": 200, "body": {"message": "back soon"}}, False),
    ],
)
def test_nothing_is_created_before_the_list_could_be_read(target, remote, fault, is_blocked):
    (post,) = here("A")
    there(remote, "A")
    remote.fault(Fault.STATUS, method="GET", **fault)
    run = sync(target)
    target.refresh_from_db()
    assert (run.state, remote.writes(), bool(target.blocked)) == ("failed", [], is_blocked)
    assert "before anything is created, its list must show what it has already" in run.message
    let_time_pass()
    assert sync(target).state == "done"
    assert (binding_of(post).remote_id, remote.writes()) == ("1", [])


def test_a_route_without_a_lookup_has_nothing_to_recognize_records_by(target, remote):
    Route.objects.update(lookup=[])
    here("A")
    there(remote, "A")
    sync(target)
    assert (requests(remote), len(remote.posts)) == ([("POST", "/posts")], 2)


def test_a_record_that_the_list_shows_only_in_part_is_looked_at_as_a_whole(target, remote):
    remote.speak(Dialect(shows=("userId", "title")))
    same, differs = here("same", "differs")
    there(remote, "same")
    there(remote, "differs", body="theirs")
    sync(target)
    assert remote.writes() == []
    assert [binding_of(post).in_doubt for post in (same, differs)] == [False, True]
    assert binding_of(differs).candidates[0]["shown"]["body"] == "theirs"


def test_where_single_records_can_not_be_read_the_list_decides(target, remote):
    remote.speak(Dialect(shows=("userId", "title")))
    (post,) = here("same")
    there(remote, "same")
    remote.fault(Fault.STATUS, method="GET", path="/posts/*", status=405)
    sync(target)
    assert (binding_of(post).remote_id, remote.writes()) == ("1", [])


@pytest.mark.parametrize("own_id", ["id", ""], ids=["our ids", "their ids"])
def test_an_object_that_can_not_be_sent_keeps_no_other_from_being_adopted(target, remote, own_id):
    remote.speak(Dialect(given_ids=True, id_as=str))
    target.routes.filter(model="news.Post").update(own_id=own_id, formats={"title": "number"})
    fine, faulty = here("7", "about 7")
    sync(target)
    assert [record["title"] for record in remote.posts.values()] == [7]
    assert binding_of(faulty).reason.startswith("'title' can't be sent as 'number'.")
    assert not binding_of(fine).reason


def test_an_object_that_could_not_be_sent_is_looked_up_once_it_was_edited_and_its_children_too(target, remote):
    target.routes.filter(model="news.Post").update(formats={"title": "number"})
    (post,) = here("about 7")
    comment = Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    there(remote, 7)
    remote.store.create("comments", {"postId": 1, "name": "N", "email": "n@example.com", "body": "B"})
    sync(target)
    post.title = "7"
    post.save()
    assert sync(target).state == "done"
    assert [binding_of(each).remote_id for each in (post, comment)] == ["1", "1"]
    assert (len(remote.posts), len(remote.comments)) == (1, 1)
