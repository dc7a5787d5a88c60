"""Situations from public reports of others' integrations, each as it was reported: its server, its numbers.

`test_dialects.py` has the table of which they are examples.
"""

import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from backoffice.kit import clock
from content.news.models import Post
from syncer.models import Attempt, Binding, Target
from syncer.targets.rest import doubt
from tests.remote import Created, Dialect, Fault, Pages, Updated
from tests.syncer.conftest import come_to_rest, sync, sync_automatically
from tests.syncer.support import binding_of, let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)
USER = 99999942


def make(*titles, body="B"):
    return [Post.objects.create(title=title, body=body) for title in titles]


def titles(remote):
    return sorted(record["title"] for record in remote.posts.values())


def set_route(target, **columns):
    target.routes.filter(model="news.Post").update(**columns)


# --- A: "not understood" or "not reachable" is not "not there" --------------------------------------------------------
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "body": "default backend - 404"},
        {"status": 410},
        {"status": 403},
        {"status": 405},
        {"status": 502},
    ],
    ids=lambda answer: str(answer["status"]),
)
def test_a_gateway_answers_everything_for_a_minute(target, remote, answer):
    posts = make(*(f"T{number}" for number in range(30)))
    sync(target)
    for post in posts[:10]:
        post.body = "edited"
        post.save()
    for post in posts[28:]:
        post.delete()
    remote.gateway(**answer)
    for _ in range(3):
        let_time_pass()
        sync(target)
    remote.heal()
    assert come_to_rest(target, 6).state == "done"
    assert titles(remote) == sorted(post.title for post in posts[:28])
    assert sum(record["body"] == "edited" for record in remote.posts.values()) == 10


def test_a_record_was_deleted_there_and_another_hand_made_one_like_it(target, remote):
    (post,) = make("A")
    sync(target)
    remote.lose("/posts/1")
    remote.store.create("posts", {"userId": USER, "title": "A", "body": "written by another hand"})
    Post.objects.update(body="ours")
    come_to_rest(target, 6)
    assert binding_of(post).in_doubt, "it may be somebody else's"
    assert [record["body"] for record in remote.posts.values()] == ["written by another hand"]


@pytest.mark.parametrize("edit", [{"body": "edited"}, {"title": "edited"}], ids=["body", "title"])
def test_the_records_were_put_back_there_under_new_ids(target, remote, edit):
    post, *_ = make("A", "B")
    sync(target)
    for key in (1, 2):
        held = dict(remote.posts[key])
        remote.lose(f"/posts/{key}")
        remote.store.create("posts", {name: value for name, value in held.items() if name != "id"})
    Post.objects.filter(pk=post.pk).update(**edit)
    assert come_to_rest(target, 6).state == "done"
    assert not binding_of(post).in_doubt, "what it held is what was last accepted of it"
    post.refresh_from_db()
    assert titles(remote) == sorted([post.title, "B"])
    assert [record["body"] for record in remote.posts.values() if record["title"] == post.title] == [post.body]


def test_the_id_has_another_name_and_the_route_says_nothing(target, remote):
    remote.speak(Dialect(id="_id"))
    make("A", "B", "C")
    for _ in range(12):
        let_time_pass()
        sync(target)
    target.refresh_from_db()
    assert titles(remote) == ["A", "B", "C"]
    assert target.blocked.startswith("Fake API has records without a readable 'id'; they have: ")
    assert "_id" in target.blocked
    set_route(target, id_field="_id")
    assert come_to_rest(target, 6).state == "done"
    assert titles(remote) == ["A", "B", "C"]
    assert Binding.objects.filter(remote_id__isnull=False).count() == 3


@pytest.mark.parametrize("address", ["absolute", "path", "query"])
def test_a_lost_create_is_found_on_a_later_page(target, remote, address):
    remote.speak(Dialect(pages=Pages(by="link", size=1, address=address), filters="ignored"))
    make("A", "B")
    sync(target)
    make("C")
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    assert come_to_rest(target, 6).state == "done"
    assert titles(remote) == ["A", "B", "C"]


def test_a_gateway_in_the_middle_of_the_pages_shows_nothing(target, remote):
    remote.speak(Dialect(pages=Pages(by="link", size=1), filters="ignored"))
    make("A", "B", "C")
    sync(target)
    make("D")
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    let_time_pass()
    with remote.hold("GET", act=True) as first:
        first.release()
        remote.fault(Fault.STATUS, method="GET", status=404)
        sync(target)
    assert titles(remote) == ["A", "B", "C", "D"]
    assert come_to_rest(target, 6).state == "done"
    assert titles(remote) == ["A", "B", "C", "D"]


@pytest.mark.parametrize("is_silent", [False, True])
def test_an_import_loads_all_pages_or_refuses(target, remote, is_silent):
    target.routes.filter(model="news.Comment").delete()
    records = [{"userId": 1, "title": f"T{number}", "body": "B"} for number in range(25)]
    remote.store.load("/posts", records)
    remote.speak(Dialect(pages=Pages(by="silence" if is_silent else "link", size=10), total="X-Total-Count"))
    if is_silent:
        with pytest.raises(CommandError, match="lists 10 of 25 records"):
            call_command("sync_import", "fakeapi")
        assert not Post.objects.exists()
    else:
        call_command("sync_import", "fakeapi")
        assert Post.objects.count() == 25


@pytest.mark.parametrize("location", ["absolute", "path", "relative", ""])
def test_a_303_to_a_create_was_carried_out(target, remote, location):
    remote.speak(Dialect(created=Created(status=303, body="empty", location=location)))
    make("A")
    for _ in range(3):
        sync(target)
    assert (titles(remote), binding_of(Post.objects.get()).remote_id) == (["A"], "1")


def test_the_field_map_is_renamed_while_a_create_is_unanswered(target, remote):
    make("Z")
    sync(target)
    make("A")
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    set_route(target, fields={"userId": "user_id", "name": "title", "text": "body"}, lookup=["userId", "name"])
    assert come_to_rest(target, 6).state == "done"
    assert [record["name"] for record in remote.posts.values()] == ["Z", "A"]
    assert remote.posts[2] == {"id": 2, "userId": USER, "name": "A", "text": "B"}


def test_twenty_records_on_both_sides_stay_twenty(target, remote):
    set_route(target, existing="adopt")
    make(*(f"T{number}" for number in range(20)))
    remote.store.load("/posts", [{"userId": USER, "title": f"T{number}", "body": "B"} for number in range(20)])
    assert sync(target).state == "done"
    assert (len(remote.posts), remote.writes()) == (20, [])


# --- B: one answer, and the whole target ------------------------------------------------------------------------------
def test_a_firewall_dislikes_one_text(target, remote):
    make("A", "B")
    sync(target)
    make("C", "<script>", "D")
    remote.fault(Fault.STATUS, method="POST", status=403, times=None, where=lambda body: "<script>" in body["title"])
    sync(target)
    target.refresh_from_db()
    assert (titles(remote), target.blocked) == (["A", "B", "C", "D"], "")
    bad = Post.objects.get(title="<script>")
    assert binding_of(bad).reason.startswith("answered 403")
    bad.title = "script"
    bad.save()
    assert sync(target).state == "done"


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "60"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"}],
    ids=["Retry-After", "exhausted"],
)
def test_a_403_may_ask_for_a_wait(target, remote, headers):
    make("A", "B")
    remote.fault(Fault.STATUS, status=403, headers=headers)
    sync_automatically(target)
    target.refresh_from_db()
    assert target.blocked == ""
    assert timedelta(seconds=50) < target.not_before - clock.now() <= timedelta(seconds=60)
    let_time_pass()
    assert sync_automatically(target).state == "done"
    assert titles(remote) == ["A", "B"]


@pytest.mark.parametrize("unit", [1, 1000])
def test_a_wait_until_an_epoch_is_bounded_and_ended_by_sync_now(target, remote, unit):
    make("A")
    remote.fault(Fault.STATUS, status=429, retry_after=int((time.time() + 30 * 86400) * unit))
    sync_automatically(target)
    target.refresh_from_db()
    assert target.not_before - clock.now() <= timedelta(hours=1)
    assert sync(target).state == "done"


@pytest.mark.parametrize(
    "updated",
    [Updated(status=304), Updated(unchanged=304), Updated(body="OK"), Updated(body="html"), Updated(status=204)],
    ids=["304", "304 unchanged", "OK", "html", "204"],
)
def test_an_update_that_is_answered_without_json_was_carried_out(target, remote, updated):
    (post,) = make("A")
    sync(target)
    remote.speak(Dialect(updated=updated))
    post.title = "C"
    post.save()
    assert [sync(target).state, sync(target).state] == ["done", "done"]
    assert (titles(remote), [entry.method for entry in remote.writes()]) == (["C"], ["POST", "PUT"])


def test_errors_with_status_200_are_refusals(target, remote):
    remote.speak(Dialect(errors_in_200=True, unique=("title",)))
    first, second = make("A"), make("A")
    sync(target)
    assert titles(remote) == ["A"]
    refused = next(post for post in (*first, *second) if binding_of(post).rejected)
    assert binding_of(refused).reason == 'answered 200 with errors: ["has already been taken"]'
    refused.title = "B"
    refused.save()
    assert sync(target).state == "done"
    assert titles(remote) == ["A", "B"]


@pytest.mark.parametrize("lookup", [[], ["userId", "title"]], ids=["no lookup", "lookup"])
def test_a_server_closes_kept_connections(target, remote, lookup):
    set_route(target, lookup=lookup)
    type(target).objects.update(concurrency=1)
    remote.speak(Dialect(closes=True))
    make(*"ABCDEF")
    sync(target)
    assert come_to_rest(target, 6).state == "done"
    assert titles(remote) == list("ABCDEF")
    assert not Binding.objects.filter(in_doubt=True).exists()


# --- D: objects that the target ties together -------------------------------------------------------------------------
@pytest.mark.parametrize("status", [422, 409, 400])
def test_contact_is_deleted_and_made_again_in_one_window(target, remote, status):
    remote.speak(Dialect(unique=("title",), refuses=status))
    (old,) = make("Contact")
    sync(target)
    make("Contact")
    old.delete()
    remote.fault(Fault.HOLD, method="DELETE", act=False, most=0.2)  # a POST beside it would overtake it
    assert sync(target).state == "done"
    assert titles(remote) == ["Contact"]


def test_a_name_is_taken_over(target, remote):
    remote.speak(Dialect(unique=("title",)))
    first, second = make("A", "B")
    sync(target)
    second.title = "C"
    second.save()
    first.title = "B"
    first.save()
    path = f"/posts/{binding_of(second).remote_id}"
    remote.fault(Fault.HOLD, method="PUT", path=path, act=False, most=0.2)
    assert sync(target).state == "done"
    assert {key: record["title"] for key, record in remote.posts.items()} == {
        int(binding_of(first).remote_id): "B",
        int(binding_of(second).remote_id): "C",
    }


def test_a_chain_of_names_moves_on_by_one(target, remote):
    remote.speak(Dialect(unique=("title",)))
    posts = make("A", "B", "C", "D", "E")
    sync(target)
    for post, title in zip(posts, "BCDEF", strict=True):
        Post.objects.filter(pk=post.pk).update(title=title)
    assert sync(target).state == "done"
    assert titles(remote) == list("BCDEF")


def test_a_name_that_stays_taken_is_rejected_until_it_is_edited(target, remote):
    remote.speak(Dialect(unique=("title",), refuses=409))
    remote.store.load("/posts", [{"userId": 1, "title": "Theirs", "body": "T"}])
    (post,) = make("Theirs")
    sync(target)
    assert binding_of(post).rejected or binding_of(post).in_doubt
    if binding_of(post).in_doubt:
        doubt.decide(binding=binding_of(post), remote_id=None)
    post.title = "Ours"
    post.save()
    come_to_rest(target, 6)
    assert titles(remote) == ["Ours", "Theirs"]


def test_a_refused_create_is_not_done_because_the_run_ended_before_the_look_up(target, remote):
    Target.objects.update(concurrency=1)
    target.refresh_from_db()
    target.routes.update(lookup=["title"])
    remote.fault(Fault.STATUS, method="POST", status=409)
    remote.fault(Fault.STATUS, method="POST", status=429)
    make("A", "B")
    sync(target)
    assert sorted(Attempt.objects.values_list("outcome", flat=True)) == ["retryable", "taken"]
    assert set(Binding.objects.values_list("rejected", "tries")) == {(None, 1)}


def test_an_id_is_the_same_as_a_number_and_as_a_text(target, remote):
    remote.speak(Dialect(id_listed=str))
    make("A")
    sync(target)
    make("A")
    remote.fault(Fault.RESET, method="POST")
    sync(target)
    assert come_to_rest(target, 6).state == "done"
    assert sorted(str(row.record) for row in Binding.objects.all()) == ["1", "2"]
    assert titles(remote) == ["A", "A"]
