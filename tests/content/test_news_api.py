"""Reading and writing single posts and comments through the JSON API."""

from typing import Any

import pytest
from django.db.models.signals import post_save, pre_save
from ninja.errors import HttpError

from content.news.models import LOCAL_USER_ID, Comment, Post
from tests.content.api_client import NEWS, ApiClient, errors, make_user
from tests.content.locks import asked_meanwhile

pytestmark = [pytest.mark.law, pytest.mark.django_db]

POSTS = "/api/news/posts/"
COMMENTS = "/api/news/comments/"


@pytest.fixture
def editor():
    return make_user()


@pytest.fixture
def api(editor):
    return ApiClient(editor)


@pytest.fixture
def chief():
    """May also set the user id."""
    return ApiClient(make_user("chief", permissions=[*NEWS, "set_user_id"]))


@pytest.fixture
def post():
    return Post.objects.create(user_id=7, title="Title", body="Body")


@pytest.fixture
def comment(post):
    return Comment.objects.create(post=post, name="Name", email="reader@example.com", body="Body")


def at(obj):
    return f"{POSTS if isinstance(obj, Post) else COMMENTS}{obj.pk}/"


def stored(obj):
    return type(obj).objects.filter(pk=obj.pk).values().get()


# --- create -----------------------------------------------------------------------------------------------------------
def test_a_created_post_is_answered_with_its_location(api, editor):
    answer = api.send("POST", POSTS, {"title": "New", "body": "Text"})
    post = Post.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == at(post)
    assert answer.json() == {"id": post.pk, "user_id": LOCAL_USER_ID, "title": "New", "body": "Text"}
    assert api.get(answer["Location"]).json() == answer.json()


def test_history_names_the_person_of_each_write(api, editor):
    path = api.send("POST", POSTS, {"title": "New", "body": "Text"})["Location"]
    api.send("PUT", path, {"title": "Newer", "body": "Text"})
    api.send("PATCH", path, {"title": "Newest"})
    api.delete(path)
    rows = list(Post.history.order_by("pk").values_list("history_type", "history_user_id", "title"))
    titles = ["New", "Newer", "Newest", "Newest"]
    assert rows == [(kind, editor.pk, title) for kind, title in zip("+~~-", titles, strict=True)]


@pytest.mark.parametrize(("in_body", "in_address"), [(True, False), (True, True), (False, True)])
def test_a_comment_is_created_with_its_post_in_the_body_or_the_address(api, post, in_body, in_address):
    new = {"name": "N", "email": "a@example.com", "body": "B"}
    path = f"{at(post)}comments/" if in_address else COMMENTS
    answer = api.send("POST", path, new | ({"post": post.pk} if in_body else {}))
    made = Comment.objects.get()
    assert (answer.status_code, answer["Location"]) == (201, at(made))
    assert answer.json() == {"id": made.pk, "post": post.pk} | new


def test_a_body_may_not_contradict_the_address(api, post, comment):
    new = {"post": post.pk + 1, "name": "N", "email": "a@example.com", "body": "B"}
    assert errors(api.send("POST", f"{at(post)}comments/", new)) == {"post": f"The address says {post.pk}."}
    assert errors(api.send("PATCH", at(post), {"id": post.pk + 1})) == {"id": f"The address says {post.pk}."}
    assert Comment.objects.count() == 1


def test_a_comment_under_a_post_that_is_not_there_is_not_found(api):
    body = {"name": "N", "email": "a@example.com", "body": "B"}
    assert api.send("POST", f"{POSTS}5/comments/", body).status_code == 404
    assert api.get(f"{POSTS}5/comments/").status_code == 404


# --- change -----------------------------------------------------------------------------------------------------------
def test_put_replaces_all_and_accepts_what_get_gave(api, comment):
    whole = api.get(at(comment)).json() | {"name": "Other", "body": "Else"}
    answer = api.send("PUT", at(comment), whole)
    assert (answer.status_code, answer.json()) == (200, whole)
    assert stored(comment)["name"] == "Other"


def test_put_needs_every_field(api, post):
    assert errors(api.send("PUT", at(post), {"title": "Only"})) == {"body": "Field required"}
    assert stored(post)["title"] == "Title"


def test_patch_changes_only_what_is_named(api, post):
    answer = api.send("PATCH", at(post), {"title": "Other"})
    assert answer.json() == {"id": post.pk, "user_id": 7, "title": "Other", "body": "Body"}
    assert stored(post) == answer.json()


@pytest.mark.parametrize(
    ("method", "body"), [("PUT", {"title": "Title", "body": "Body"}), ("PATCH", {"title": "Title"}), ("PATCH", {})]
)
def test_a_write_that_changes_nothing_leaves_no_history(api, post, method, body):
    assert api.send(method, at(post), body).status_code == 200
    assert Post.history.count() == 1


def test_a_deleted_post_takes_its_comments_each_with_history(api, post, comment, editor):
    answer = api.delete(at(post))
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(at(post)).status_code == api.delete(at(post)).status_code == 404
    assert Comment.history.filter(history_type="-", history_user_id=editor.pk).count() == 1


# --- the user id ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("user_id", [5, -1])
def test_without_the_permission_the_user_id_is_refused_by_name(api, post, user_id):
    needs = "You need the permission news.set_user_id to set the user id to"
    for answer, change in (
        (api.send("POST", POSTS, {"user_id": user_id, "title": "T", "body": "B"}), (user_id, LOCAL_USER_ID)),
        (api.send("PUT", at(post), {"user_id": user_id, "title": "T", "body": "B"}), (user_id, 7)),
        (api.send("PATCH", at(post), {"user_id": user_id}), (user_id, 7)),
        (api.send("PATCH", at(post), {"user_id": LOCAL_USER_ID}), (LOCAL_USER_ID, 7)),
    ):
        assert answer.status_code == 403
        assert errors(answer) == {"user_id": f"{needs} “{change[0]}” instead of “{change[1]}”."}
    assert Post.history.count() == 1


def test_without_the_permission_the_user_id_may_be_repeated_or_left_out(api, post):
    assert api.send("POST", POSTS, {"user_id": LOCAL_USER_ID, "title": "T", "body": "B"}).status_code == 201
    assert api.send("PUT", at(post), {"user_id": 7, "title": "T", "body": "B"}).status_code == 200
    assert api.send("PATCH", at(post), {"user_id": 7}).status_code == 200
    assert api.send("PUT", at(post), {"title": "T", "body": "B"}).json()["user_id"] == 7


def test_with_the_permission_the_user_id_is_set(chief, post):
    assert chief.send("POST", POSTS, {"user_id": 1, "title": "T", "body": "B"}).json()["user_id"] == 1
    assert chief.send("PATCH", at(post), {"user_id": 2}).json()["user_id"] == 2
    assert chief.send("PUT", at(post), {"title": "T", "body": "B"}).json()["user_id"] == LOCAL_USER_ID


# --- rules ------------------------------------------------------------------------------------------------------------

POST: dict[str, Any] = {"title": "T", "body": "B"}
COMMENT: dict[str, Any] = {"post": 1, "name": "N", "email": "a@example.com", "body": "B"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        *[(POSTS, POST | {"title": value}, "title") for value in ("", " \t ", "x" * 257, "a\0b", None, 5)],
        *[(POSTS, POST | {"user_id": value}, "user_id") for value in (2**31, 10**30, "5", True)],
        (POSTS, POST | {"body": "x" * 1025}, "body"),
        (POSTS, POST | {"id": 5}, "id"),
        (POSTS, POST | {"author": "x"}, "author"),
        (POSTS, {"title": "T"}, "body"),
        *[(COMMENTS, COMMENT | {"email": text + "@example.com"}, "email") for text in ("", "a\0", "x" * 128)],
        *[(COMMENTS, COMMENT | {"post": key}, "post") for key in (404, 2**63, 2**70)],
    ],
)
def test_what_breaks_a_rule_is_refused_by_field(path, body, field):
    chief = ApiClient(make_user("chief", permissions=[*NEWS, "set_user_id"]))
    Post.objects.bulk_create([Post(pk=1, title="T", body="B")])
    answer = chief.send("POST", path, body)
    assert answer.status_code == 422, answer.content
    assert field in errors(answer)
    assert (Post.objects.count(), Comment.objects.count()) == (1, 0)


@pytest.mark.parametrize("body", ["hello", [1], 5, None, True, []])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_that_is_not_an_object_is_refused(api, post, method, body):
    answer = api.send(method, POSTS if method == "POST" else at(post), body)
    assert answer.status_code == 422
    assert errors(answer) == {"": "The body must be a JSON object."}


@pytest.mark.parametrize("path", [POSTS, COMMENTS])
@pytest.mark.parametrize("body", [b"{", b"{'title': 1}", b'{"title": NaN}', b"\xff", b'{"title": "\\ud800"}'])
def test_malformed_json_is_a_bad_request(api, path, body):
    answer = api.send("POST", path, body)
    assert answer.status_code == 400
    errors(answer)


@pytest.mark.parametrize("key", ["0", "404", str(2**63), str(2**200), "9" * 5000, "x", "-1"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_id_that_is_not_there_is_not_found(api, method, key):
    answer = api.send(method, f"{POSTS}{key}/", POST)
    assert answer.status_code == 404
    errors(answer)


# --- transactions -----------------------------------------------------------------------------------------------------
@pytest.fixture
def after_save():
    """Connects a receiver to each save of a post; gone with the test."""
    connected = []

    def connect(receiver, signal=post_save, sender=Post):
        signal.connect(receiver, sender=sender, weak=False)
        connected.append((signal, receiver, sender))

    yield connect
    for signal, receiver, sender in connected:
        signal.disconnect(receiver, sender=sender)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("error", "status"), [(HttpError(418, "No."), 418), (RuntimeError("secret"), 500)], ids=["HttpError", "crash"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_error_after_a_write_keeps_nothing_of_it(api, post, after_save, method, error, status):
    def fail(**kwargs):
        raise error

    after_save(fail)
    answer = api.send(method, POSTS if method == "POST" else at(post), {"title": "Lost", "body": "Lost"})
    assert answer.status_code == status
    assert "secret" not in answer.content.decode()
    errors(answer)
    assert list(Post.objects.values_list("title", flat=True)) == ["Title"]
    assert Post.history.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("method", "body"), [("PATCH", {"body": "Mine"}), ("PUT", {"title": "Mine", "body": "Mine"})])
def test_a_change_waits_for_another_and_builds_on_it(api, post, method, body):
    theirs = Post.objects.filter(pk=post.pk)
    answer = asked_meanwhile(lambda: api.send(method, at(post), body), lambda: theirs.update(user_id=8))
    assert answer.status_code == 200
    assert (stored(post)["user_id"], stored(post)["body"]) == (8, "Mine")


@pytest.mark.django_db(transaction=True)
def test_a_post_that_vanishes_while_a_comment_is_written_is_a_conflict(api, post, after_save):
    def vanish(**kwargs):
        Post.objects.filter(pk=post.pk)._raw_delete("default")

    after_save(vanish, pre_save, Comment)
    answer = api.send("POST", COMMENTS, COMMENT | {"post": post.pk})
    assert answer.status_code == 409
    errors(answer)
    assert Comment.history.count() == 0
