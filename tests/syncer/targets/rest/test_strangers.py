"""Servers with habits of their own: nothing is doubled, lost, or stopped for another's fault.

Each test is one habit that was seen in public reports of integrations, on a server that has it and no other.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F

from content.news.models import Comment, Post
from syncer.core.state import Question
from syncer.models import Binding, Route
from syncer.targets.rest import doubt
from tests.remote import Answer, Call, Created, Dialect, Fault, Pages, Remote
from tests.syncer.conftest import come_to_rest, sync
from tests.syncer.support import binding_of, let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)
USER = 99999942
PAGE = Answer(200, b"<!doctype html><title>Back soon</title>", {"Content-Type": "text/html"})
Act = Callable[[], Answer]


def odd(remote: Remote, hook: Callable[[Call, Act], Answer], **dialect):
    """A server that answers by `hook`, which is given each call and what else it would answer."""
    speaker = remote.speak(Dialect(**dialect))
    plain = speaker._answer

    def answer(call: Call, address: str) -> Answer:
        return hook(call, lambda: plain(call, address))

    setattr(speaker, "_answer", answer)  # noqa: B010 - mypy refuses to assign to a method
    return speaker


def make(*titles, body="B"):
    return [Post.objects.create(title=title, body=body) for title in titles]


def titles(remote):
    return sorted(record["title"] for record in remote.posts.values())


def bodies(remote):
    return [record["body"] for record in remote.posts.values()]


def set_route(target, **columns):
    target.routes.filter(model="news.Post").update(**columns)


def edit(post, **fields):
    for name, value in fields.items():
        setattr(post, name, value)
    post.save()


def rest(target, rounds=8):
    run = come_to_rest(target, rounds)
    target.refresh_from_db()
    return run


def an_hour_passes():
    Binding.objects.filter(create_at__isnull=False).update(create_at=F("create_at") - timedelta(hours=1))


def lose_create(remote, *, act=True):
    remote.fault(Fault.RESET, method="POST", act=act)


# --- a list that is not the whole truth -------------------------------------------------------------------------------
def test_a_list_lags_behind_what_the_target_has_just_accepted(target, remote):
    lag = [True]

    def hook(call, act):
        answer = act()
        if lag[0] and call.method == "GET" and call.path == "/posts":
            return replace(answer, body=[record for record in answer.body if record["title"] == "Old"])
        return answer

    odd(remote, hook)
    make("Old")
    sync(target)
    lost, _ = make("Lost", "New")
    remote.fault(Fault.RESET, method="POST", act=True, where=lambda body: body["title"] == "Lost")
    sync(target)
    rest(target, 4)
    assert titles(remote) == ["Lost", "New", "Old"], "the list does not show what was accepted since"
    lag[0] = False
    assert rest(target).state == "done"
    assert titles(remote) == ["Lost", "New", "Old"]
    assert not binding_of(lost).in_doubt


def test_a_list_shows_only_what_is_published(target, remote):
    def hook(call, act):
        answer = act()
        is_list = call.method == "GET" and call.path == "/posts"
        return replace(answer, body=[one for one in answer.body if one.get("published")]) if is_list else answer

    odd(remote, hook)
    make("A", "B")
    remote.store.create("posts", {"userId": 1, "title": "Theirs", "body": "T", "published": True})
    sync(target)
    (lost,) = make("Lost")
    lose_create(remote)
    rest(target)
    assert titles(remote) == ["A", "B", "Lost", "Theirs"]
    an_hour_passes()
    rest(target)
    assert titles(remote) == ["A", "B", "Lost", "Theirs"]
    assert binding_of(lost).in_doubt
    doubt.decide(binding=binding_of(lost), remote_id=4)
    assert rest(target).state == "done"


def test_a_list_comes_from_a_cache_that_is_older_than_the_create(target, remote):
    old: list[list[object]] = []

    def hook(call, act):
        answer = act()
        if call.method == "GET" and call.path == "/posts" and old:
            return Answer(200, old[0], {"Age": "86400"})
        return answer

    odd(remote, hook)
    old.append([])
    make("A")
    lose_create(remote)
    rest(target, 3)
    assert titles(remote) == ["A"]
    old.clear()
    assert rest(target).state == "done"
    assert titles(remote) == ["A"]


@pytest.mark.parametrize("paging", ["page", "offset"])
@pytest.mark.parametrize("beyond", ["empty", 400, 404, "again"])
def test_a_total_is_smaller_than_the_list(target, remote, paging, beyond):
    """As from a count that is cached, or that stops at 10,000."""

    def hook(call, act):
        answer = act()
        if call.method != "GET" or call.path != "/posts":
            return answer
        body = {**answer.body, "total": min(3, len(remote.posts))}
        if not body["data"] and beyond != "empty" and len(remote.posts) > 3:
            if beyond == "again":
                return Answer(200, {**body, "data": [{**list(remote.posts.values())[-1]}]})
            return Answer(beyond, {"detail": "Invalid page."})
        return replace(answer, body=body)

    name = {"page": "page", "offset": "skip"}[paging]
    odd(remote, hook, items="data", pages=Pages(by=paging, name=name, size=1), filters="ignored")
    set_route(target, items_field="data", paging=paging, page_name=name)
    make("A", "B", "C")
    sync(target)
    make("D")
    lose_create(remote)
    assert rest(target).state == "done"
    assert titles(remote) == ["A", "B", "C", "D"]


@pytest.mark.parametrize("empty", [Answer(204, b""), Answer(200, {})], ids=["204", "{}"])
def test_an_empty_list_is_nothing_at_all(target, remote, empty):
    def hook(call, act):
        answer = act()
        return empty if call.method == "GET" and answer.body == {"items": []} else answer

    odd(remote, hook, items="items")
    set_route(target, items_field="items", existing="adopt")
    make("A")
    lose_create(remote, act=False)
    assert rest(target).state == "done"
    assert titles(remote) == ["A"]


@pytest.mark.parametrize("broken", [{"id": None, "title": "draft"}, {"title": "draft"}, None], ids=repr)
def test_one_record_of_a_list_is_broken(target, remote, broken):
    def hook(call, act):
        answer = act()
        is_list = call.method == "GET" and call.path == "/posts"
        return replace(answer, body=[broken, *answer.body]) if is_list and answer.body else answer

    odd(remote, hook)
    make("A")
    sync(target)
    make("B")
    lose_create(remote)
    assert rest(target).state == "done"
    assert (titles(remote), target.blocked) == (["A", "B"], "")


def test_a_record_is_listed_without_its_id_for_a_while(target, remote):
    pending = [True]

    def hook(call, act):
        answer = act()
        if pending[0] and call.method == "GET" and call.path == "/posts":
            return replace(
                answer, body=[{**one, "id": None if one["title"] == "B" else one["id"]} for one in answer.body]
            )
        return answer

    odd(remote, hook)
    make("A")
    sync(target)
    make("B")
    lose_create(remote)
    rest(target, 3)
    assert titles(remote) == ["A", "B"]
    pending[0] = False
    assert rest(target).state == "done"
    assert titles(remote) == ["A", "B"]


# --- one object's answer, and the target's ----------------------------------------------------------------------------
@pytest.mark.parametrize("answer", [{"status": 401}, {"kind": Fault.REDIRECT, "status": 308}], ids=["401", "308"])
def test_one_record_is_answered_as_if_the_target_were_set_up_wrong(target, remote, answer):
    first, *others = make("A", "B", "C")
    sync(target)
    for post in (first, *others):
        edit(post, body="edited")
    path = f"/posts/{binding_of(first).remote_id}"
    remote.fault(**{"kind": Fault.STATUS, "method": "PUT", "path": path, "times": None, **answer})
    rest(target)
    assert target.blocked == ""
    assert {one["title"]: one["body"] for one in remote.posts.values()} == {"A": "B", "B": "edited", "C": "edited"}
    assert binding_of(first).rejected


def test_all_is_answered_401(target, remote):
    make(*"ABCDEF")
    remote.gateway(status=401)
    sync(target)
    target.refresh_from_db()
    assert "401" in target.blocked
    assert not Binding.objects.filter(rejected__isnull=False).exists()
    remote.heal()
    assert sync(target).state == "done"


@pytest.mark.parametrize("status", [403, 405])
def test_records_may_be_changed_but_not_deleted(target, remote, status):
    posts = make(*"ABCDEFGH")
    sync(target)
    for post in posts[:6]:
        post.delete()
    edit(posts[7], body="edited")
    make("New")
    remote.fault(Fault.STATUS, method="DELETE", status=status, times=None)
    rest(target, 3)
    assert target.blocked == ""
    assert "New" in titles(remote)
    assert bodies(remote).count("edited") == 1
    assert Binding.objects.filter(rejected__isnull=False).count() == 6


@pytest.mark.parametrize("status", [402, 406, 415, 428])
def test_what_the_target_wants_of_every_request_is_not_burnt_on_all_objects(target, remote, status):
    make(*(f"T{number}" for number in range(12)))
    remote.fault(Fault.STATUS, method="POST", status=status, times=None)
    type(target).objects.update(concurrency=1)
    sync(target)
    target.refresh_from_db()
    assert str(status) in target.blocked
    assert Binding.objects.filter(rejected__isnull=False).count() <= 1
    remote.heal()
    assert rest(target).state == "done"
    assert len(remote.posts) == 12


@pytest.mark.parametrize("status", [420, 430])
def test_a_target_asks_for_a_wait_by_a_status_of_its_own(target, remote, status):
    make(*"ABCDEF")
    remote.fault(Fault.STATUS, method="POST", status=status, times=None)
    sync(target)
    assert not Binding.objects.filter(rejected__isnull=False).exists()
    remote.heal()
    assert rest(target).state == "done"


@pytest.mark.parametrize("status", [403, 414, 413])
def test_a_firewall_dislikes_the_text_in_the_address_of_a_lookup(target, remote, status):
    def hook(call, act):
        return Answer(status, {}) if call.method == "GET" and "<script>" in call.query.get("title", "") else act()

    odd(remote, hook)
    (post,) = make("<script>")
    lose_create(remote)
    assert rest(target).state == "done"
    assert (binding_of(post).remote_id, len(remote.posts)) == ("1", 1)


def test_a_lookup_that_is_forbidden_for_a_while_is_tried_again(target, remote):
    set_route(target, own_id="id")
    remote.speak(Dialect(given_ids=True, id_as=str))
    (post,) = make("A")
    remote.fault(Fault.RESET, method="PUT", act=True)
    sync(target)
    let_time_pass()
    remote.fault(Fault.STATUS, method="GET", status=403, times=1)
    sync(target)
    assert binding_of(post).rejected is None
    assert rest(target).state == "done"


# --- 200 with something else in it ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "answer",
    [
        {"status": "error", "message": "no"},
        {"status": "fail", "data": {"title": "is too long"}},
        {"data": {"userErrors": [{"message": "no"}], "post": None}},
        {"result": {"success": False, "reason": "no"}},
        {"results": [{"status": 409, "error": {"message": "no"}}]},
        {"errcode": 40013, "errmsg": "no"},
        {"code": 422, "message": "no"},
        [{"success": False, "errorCode": "DUPLICATE_VALUE", "message": "no"}],
    ],
    ids=lambda answer: str(answer)[:30],
)
def test_a_refusal_with_status_200_is_said_somewhere_else(target, remote, answer):
    (post,) = make("A")
    sync(target)
    refuses = [True]
    odd(remote, lambda call, act: Answer(207, answer) if call.method == "PUT" and refuses[0] else act())
    edit(post, title="C")
    rest(target, 2)
    assert binding_of(post).rejected
    refuses[0] = False
    edit(post, title="D")
    assert rest(target).state == "done"
    assert titles(remote) == ["D"]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "ok"},
        {"code": 0, "message": "success"},
        {"code": 200, "errors": [], "error": None},
        {"data": {"id": 1, "status": "failed", "error": "of the record"}},
        {"result": {"title": "C", "error": "a field"}},
        {"id": 1, "code": 500},
        {"updated": 1, "failed": 0},
        {"status": 1},
    ],
    ids=lambda answer: str(answer)[:30],
)
def test_what_is_no_refusal_is_not_taken_for_one(target, remote, answer):
    (post,) = make("A")
    sync(target)

    def hook(call, act):
        done = act()
        return Answer(200, answer, applied=True) if call.method == "PUT" else done

    odd(remote, hook)
    edit(post, title="C")
    assert sync(target).state == "done"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"code": 429, "message": "slow down"}},
        {"success": False, "status": 429},
        {"errors": [{"status": 429}]},
    ],
    ids=lambda answer: str(answer)[:30],
)
def test_a_rate_limit_with_status_200_is_a_wait(target, remote, answer):
    make(*"ABCDEFGHIJ")
    odd(remote, lambda call, act: Answer(200, answer) if call.method == "POST" else act())
    sync(target)
    target.refresh_from_db()
    assert target.throttled
    assert not Binding.objects.filter(rejected__isnull=False).exists()
    remote.speak(Dialect())
    assert rest(target).state == "done"
    assert titles(remote) == list("ABCDEFGHIJ")


@pytest.mark.parametrize(
    "page", [PAGE, Answer(200, {"message": "We are back soon."})], ids=["for people", "for programs"]
)
def test_everything_is_answered_by_a_page_of_maintenance(target, remote, page):
    posts = make("A", "B", "C")
    sync(target)
    edit(posts[0], body="edited")
    posts[1].delete()
    make("New")
    odd(remote, lambda call, act: page)
    rest(target, 3)
    an_hour_passes()
    remote.speak(Dialect())
    assert rest(target).state == "done"
    assert titles(remote) == ["A", "C", "New"]
    assert "edited" in bodies(remote)
    assert not Binding.objects.filter(in_doubt=True).exists()


# --- ids --------------------------------------------------------------------------------------------------------------
def test_a_202_names_the_job_and_not_the_record(target, remote):
    def hook(call, act):
        act_ = act()
        return Answer(202, {"id": "job-1", "status": "queued"}) if call.method == "POST" else act_

    odd(remote, hook)
    (post,) = make("A")
    rest(target, 2)
    assert binding_of(post).remote_id == "1"
    post.delete()
    rest(target, 2)
    assert titles(remote) == []


def test_ids_are_floats(target, remote):
    remote.speak(Dialect(id_as=float))
    (post,) = make("A")
    lose_create(remote)
    rest(target, 3)
    assert target.blocked == ""
    assert (binding_of(post).remote_id, titles(remote)) == ("1", ["A"])


def slug(record):
    return record["title"].lower().replace(" ", "-")


@pytest.mark.parametrize("lookup", [[], ["userId", "title"]], ids=["no lookup", "lookup"])
def test_an_id_changes_with_the_title(target, remote, lookup):
    """As where the id is a slug, or a version of the record."""

    def shown(record):
        return {**record, "id": slug(record)}

    def hook(call, act):
        if call.path != "/posts":
            key = next((key for key, one in remote.posts.items() if slug(one) == call.path.removeprefix("/posts/")), 0)
            answer = speaker._act(replace(call, path=f"/posts/{key}"), "")
        else:
            answer = act()
        if isinstance(answer.body, list):
            return replace(answer, body=[shown(one) for one in answer.body])
        is_record = isinstance(answer.body, dict) and "title" in answer.body
        return replace(answer, body=shown(answer.body)) if is_record else answer

    speaker = odd(remote, hook)
    set_route(target, lookup=lookup)
    (post,) = make("A one")
    sync(target)
    for title in ("B two", "C three"):
        edit(post, title=title)
        assert rest(target, 2).state == "done"
    assert titles(remote) == ["C three"]
    assert binding_of(post).remote_id == '"c-three"'
    edit(post, title="D four")
    sync(target)
    post.delete()
    assert rest(target).state == "done"
    assert titles(remote) == []


def test_an_update_is_answered_with_the_id_of_something_else(target, remote):
    def hook(call, act):
        done = act()
        return Answer(200, {"id": "event-7", "type": "updated"}, applied=True) if call.method == "PUT" else done

    odd(remote, hook)
    (post,) = make("A")
    sync(target)
    edit(post, title="C")
    assert rest(target, 2).state == "done"
    assert binding_of(post).remote_id == "1"


def test_a_create_overwrites_the_record_of_another_object(target, remote):
    """As where a POST is an upsert by a name that two objects share."""

    def hook(call, act):
        if call.method == "POST":
            for key, one in remote.posts.items():
                if one["title"].lower() == call.body["title"].lower():
                    return Answer(200, remote.store.replace("posts", key, call.body), applied=True)
        return act()

    odd(remote, hook)
    make("A", body="first")
    sync(target)
    (second,) = make("a", body="second")
    rest(target, 3)
    assert bodies(remote) == ["first"], "the first object's record is as it was accepted"
    edit(second, title="Z")
    rest(target)
    assert titles(remote) == ["A", "Z"]
    assert bodies(remote) == ["first", "second"]


def test_an_id_is_used_again_for_a_new_record_while_its_old_holder_is_believed_to_be_there(target, remote):
    (old,) = make("Old")
    sync(target)
    remote.lose("/posts/1")
    remote.store._last_id["posts"] = 0
    (new,) = make("New")
    rest(target, 3)
    for post in (old, new):
        row = binding_of(post)
        if row.rejected or row.in_doubt:
            assert doubt.question(row) == Question.CREATE
            doubt.decide(binding=row, remote_id=None)
    assert rest(target).state == "done"
    assert titles(remote) == ["New", "Old"]
    assert {binding_of(old).remote_id, binding_of(new).remote_id} == {"1", "2"}


def test_a_delete_that_is_repeated_spares_a_record_of_somebody_else_with_the_same_id(target, remote):
    (old,) = make("Old")
    sync(target)
    old.delete()
    remote.fault(Fault.RESET, method="DELETE", act=True)
    sync(target)
    remote.store._last_id["posts"] = 0
    remote.store.create("posts", {"userId": 1, "title": "Theirs", "body": "T"})
    rest(target)
    assert titles(remote) == ["Theirs"]


def test_two_routes_share_a_collection(target, remote):
    columns = {"path": "/contacts", "fields": {"name": "title"}, "lookup": ["name"], "existing": "create"}
    Route.objects.filter(model="news.Post").update(**columns)
    Route.objects.filter(model="news.Comment").update(**{**columns, "fields": {"name": "name"}})
    (post,) = make("Acme")
    sync(target)
    comment = Comment.objects.create(post=post, name="Acme", email="n@example.com", body="B")
    lose_create(remote, act=False)
    assert rest(target).state == "done"
    assert {binding_of(post).remote_id, binding_of(comment).remote_id} == {"1", "2"}
    comment.delete()
    rest(target)
    assert list(remote.records("contacts")) == [1]


def test_our_own_id_is_somebody_elses_at_a_server_that_overwrites(target, remote):
    set_route(target, own_id="id")
    remote.speak(Dialect(given_ids=True, id_as=str))
    (post,) = make("A")
    remote.store.load("/posts", [{"id": str(post.pk), "userId": 1, "title": "Theirs", "body": "T"}])
    rest(target)
    assert titles(remote) == ["Theirs"]
    assert binding_of(post).in_doubt or binding_of(post).rejected


# --- what was deleted, and is still shown -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "mark",
    [{"deleted": True}, {"isDeleted": True}, {"deleted_at": "2026-11-29T12:00:00Z"}, {"status": "trash"}],
    ids=lambda mark: next(iter(mark)),
)
def test_a_deleted_record_is_shown_with_a_mark(target, remote, mark):
    """Lists keep it, its path answers 200, and it can't be changed or deleted any more."""

    def hook(call, act):
        key = call.path.removeprefix("/posts/")
        record = remote.store.get("posts", int(key)) if key.isdecimal() else None
        if record and mark.items() <= record.items() and call.method != "GET":
            return Answer(404, {"detail": "No such record."})
        if call.method == "DELETE" and record:
            remote.store.merge("posts", int(key), mark)
            return Answer(200, {})
        return act()

    odd(remote, hook)
    live = lambda: sorted(one["title"] for one in remote.posts.values() if not mark.items() <= one.items())  # noqa: E731
    first, second, third = make("A", "B", "C")
    sync(target)
    first.delete()
    remote.fault(Fault.RESET, method="DELETE", act=True)
    sync(target)
    assert rest(target, 3).state == "done"
    remote.store.merge("posts", int(binding_of(second).remote_id), mark)
    edit(second, body="edited")
    assert rest(target, 4).state == "done"
    assert live() == ["B", "C"]
    make("A")
    lose_create(remote)
    assert rest(target, 3).state == "done"
    assert live() == ["A", "B", "C"]
    third.delete()
    make("C")
    lose_create(remote, act=False)
    assert rest(target, 3).state == "done"
    assert live() == ["A", "B", "C"]


def test_a_record_is_not_adopted_from_the_bin(target, remote):
    set_route(target, existing="adopt")
    remote.store.create("posts", {"userId": USER, "title": "A", "body": "B", "deleted": True})
    (post,) = make("A")
    assert sync(target).state == "done"
    assert binding_of(post).remote_id == "2"


# --- texts ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("Łódź by Night", "Lodz by Night"),
        ("Grüße aus Köln", "Gruesse aus Koeln"),
        ("Smørrebrød", "Smorrebrod"),
        ("Grüße", "GrÃ¼ÃŸe"),
        ("Привет", "??????"),
        ("Hi 🎉 all of you", "Hi "),
        ("🎉 Party", ""),
        ("Hello World", "hello-world"),
        ("Rock & Roll", "Rock and Roll"),
    ],
)
def test_a_text_is_kept_in_another_alphabet(target, remote, title, kept):
    remote.speak(Dialect(keep=lambda name, value: kept if name == "title" and value == title else value))
    (post,) = make(title, body="The body")
    lose_create(remote)
    rest(target, 3)
    assert len(remote.posts) == 1
    if binding_of(post).in_doubt:
        doubt.decide(binding=binding_of(post), remote_id=1)
    assert rest(target).state == "done"


def test_a_number_is_rounded(target, remote):
    set_route(target, constants={"price": 10.505}, lookup=["title"], fields={"title": "title"})
    remote.speak(Dialect(keep=lambda name, value: 10.51 if name == "price" else value))
    (post,) = make("A")
    lose_create(remote)
    rest(target, 3)
    assert len(remote.posts) == 1
    assert binding_of(post).in_doubt or binding_of(post).remote_id


# --- a 404 that nobody confirms ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_record_is_gone_where_there_are_no_lists(target, remote, status, change):
    odd(remote, lambda call, act: Answer(status, {}) if call.method == "GET" and call.path == "/posts" else act())
    first, second = make("A", "B")
    sync(target)
    lost = binding_of(first)
    remote.lose(f"/posts/{lost.remote_id}")
    if change == "update":
        edit(first, body="edited")
    else:
        first.delete()
    for _ in range(12):
        edit(second, body=f"{second.body}!")
        let_time_pass()
        sync(target)
    row = Binding.objects.get(pk=lost.pk)
    assert row.rejected or row.remote_id is None
    if row.rejected:
        doubt.decide(binding=row, remote_id=None)
    assert rest(target).state == "done"
    assert titles(remote) == (["A", "B"] if change == "update" else ["B"])


def test_only_disputes_are_counted_as_such(target, remote):
    (post,) = make("A")
    sync(target)
    edit(post, title="C")
    remote.fault(Fault.STATUS, method="PUT", status=503, times=6)
    for _ in range(6):
        let_time_pass()
        sync(target)
    remote.fault(Fault.STATUS, method="PUT", status=404, times=1)
    let_time_pass()
    sync(target)
    assert binding_of(post).rejected is None
    assert rest(target).state == "done"


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_address_is_that_of_an_empty_copy(target, remote, change):
    posts = make(*(f"T{number}" for number in range(12)))
    sync(target)
    kept = remote.posts
    for key in kept:
        remote.lose(f"/posts/{key}")
    for post in posts[:3]:
        if change == "update":
            edit(post, body="edited")
        else:
            post.delete()
    rest(target, 3)
    assert remote.posts == {}, "nothing is made again in the copy"
    assert Binding.objects.filter(remote_id__isnull=False).count() == 12, "and no delete counts as done"
    remote.store.load("/posts", list(kept.values()))
    assert rest(target).state == "done"
    assert len(remote.posts) == (12 if change == "update" else 9)


def test_accepted_without_an_id_and_listed_late(target, remote):
    remote.speak(Dialect(created=Created(status=202, body="empty", hidden=12)))
    make("A")
    assert rest(target, 14).state == "done"
    assert titles(remote) == ["A"]
