"""Lists of posts and comments: pages, filters, counts, whole streams, and the permissions of every address."""

import json
import tracemalloc
from typing import Any

import pytest
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from backoffice.kit.api.pagination import STREAM_ROWS, Keyset
from content.news import api as news_api
from content.news.models import Comment, Post
from syncer.models.mapping import declarations
from tests.content.api_client import NEWS, ApiClient, errors, make_user

pytestmark = pytest.mark.django_db

POSTS = "/api/news/posts/"
COMMENTS = "/api/news/comments/"


@pytest.fixture
def api():
    return ApiClient(make_user())


def make_posts(count, **values):
    return Post.objects.bulk_create(
        [Post(**{"title": f"Title {number}", "body": "Body"} | values) for number in range(1, count + 1)]
    )


def make_comments(post, count):
    return Comment.objects.bulk_create(
        [Comment(post=post, name=f"N{number}", email="a@example.com", body="B") for number in range(count)]
    )


def titles(answer):
    return [item["title"] for item in answer.json()["items"]]


# --- pages ------------------------------------------------------------------------------------------------------------
def test_a_list_is_paged_newest_first_until_next_is_null(api):
    make_posts(5)
    first = api.get(POSTS, {"limit": 2})
    second = api.get(POSTS, {"limit": 2, "cursor": first.json()["next"]})
    third = api.get(POSTS, {"limit": 2, "cursor": second.json()["next"]})
    assert titles(first) == ["Title 5", "Title 4"]
    assert titles(second) == ["Title 3", "Title 2"]
    assert titles(third) == ["Title 1"]
    assert third.json()["next"] is None
    assert list(first.json()) == ["items", "next"]


def test_a_page_that_is_just_full_says_that_nothing_follows(api):
    make_posts(2)
    assert api.get(POSTS, {"limit": 2}).json()["next"] is None


def test_a_page_holds_fifty_items_unless_asked(api):
    make_posts(51)
    assert len(api.get(POSTS).json()["items"]) == 50
    assert len(api.get(POSTS, {"limit": 500}).json()["items"]) == 51


def test_a_new_row_does_not_move_the_pages(api):
    make_posts(4)
    cursor = api.get(POSTS, {"limit": 2}).json()["next"]
    make_posts(1)
    assert titles(api.get(POSTS, {"limit": 2, "cursor": cursor})) == ["Title 2", "Title 1"]


def test_the_count_is_of_the_filtered_list_and_only_on_demand(api):
    make_posts(3)
    make_posts(2, user_id=5)
    assert api.get(POSTS, {"count": "true", "user_id": 5, "limit": 1}).json()["count"] == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *[({"limit": value}, "limit") for value in (0, 501, "x")],
        *[({"cursor": value}, "cursor") for value in ("", "x", "bnVsbA", "WzFd", "é")],  # the long ones: null and [1]
        *[({"user_id": value}, "user_id") for value in ("x", 2**31, "")],
        ({"count": "maybe"}, "count"),
        ({"title": "a\0b"}, "title"),
        ({"all": "true", "limit": 5}, "limit"),
        ({"all": "true", "cursor": "MQ"}, "cursor"),
        ({"all": "true", "count": "true"}, "count"),
    ],
)
def test_a_parameter_that_can_not_be_read_is_refused_by_name(api, query, field):
    answer = api.get(POSTS, query)
    assert answer.status_code == 422
    assert list(errors(answer)) == [field]


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(api):
    answer = api.get(POSTS, {"name": "x", "userId": 1})
    assert answer.status_code == 422
    known = (
        "There is no such parameter; there are all, body, count, cursor, fields, limit, search, sort, title, user_id."
    )
    assert errors(answer) == {"name": known, "userId": known}


@pytest.mark.parametrize("key", [2**63, 2**64 - 1, -5])
def test_a_cursor_out_of_range_gives_a_page(api, key):
    make_posts(1)
    cursor = Keyset(Post, ["-pk"]).cursor({"id": key})
    assert api.get(POSTS, {"cursor": cursor}).status_code == 200


# --- filters ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("field", ["user_id", "title", "body"])
def test_posts_are_filtered_by_exact_match_of_each_field(api, field):
    make_posts(1, user_id=1, title="Ä&=", body="one")
    make_posts(1, user_id=2, title="ä&=", body="One")
    for post in Post.objects.all():
        assert [item["id"] for item in api.get(POSTS, {field: getattr(post, field)}).json()["items"]] == [post.pk]


@pytest.mark.parametrize("field", ["post", "name", "email", "body"])
def test_comments_are_filtered_by_exact_match_of_each_field(api, field):
    for number, post in enumerate(make_posts(2)):
        Comment.objects.create(post=post, name=f"N{number}", email=f"a{number}@example.com", body=f"B{number}")
    for key, value in Comment.objects.values_list("pk", field):
        assert [item["id"] for item in api.get(COMMENTS, {field: value}).json()["items"]] == [key]


def test_every_field_that_may_travel_can_be_looked_up():
    shown: dict[Any, tuple[str, ...]] = {
        endpoint.model: endpoint.fields for endpoint in (news_api.posts, news_api.comments)
    }
    for declaration in declarations().values():
        assert {*declaration.fields} <= {*shown.get(declaration.model, declaration.fields)}


def test_the_comments_of_a_post_are_its_own(api):
    one, other = make_posts(2)
    make_comments(one, 2)
    make_comments(other, 1)
    items = api.get(f"{POSTS}{one.pk}/comments/").json()["items"]
    assert [item["post"] for item in items] == [one.pk, one.pk]
    assert "post" in errors(api.get(f"{POSTS}{one.pk}/comments/", {"post": other.pk}))


def test_a_list_costs_the_same_queries_however_long(api, django_assert_max_num_queries):
    make_posts(60)
    with django_assert_max_num_queries(4):  # the user, two for permissions, the list
        api.get(POSTS, {"limit": 60})


# --- whole streams ----------------------------------------------------------------------------------------------------
def make_many(count):
    """Posts without history, which is not what is looked at here."""
    posts = [Post(user_id=5, title=f"Title {number}", body="x" * 500) for number in range(1, count + 1)]
    QuerySet[Post](Post).bulk_create(posts)


def test_all_streams_the_filtered_list_as_one_array(api):
    make_many(2 * STREAM_ROWS + 1)
    make_posts(1, user_id=6)
    answer = api.get(POSTS, {"all": "true", "user_id": 5})
    assert isinstance(answer, StreamingHttpResponse)
    items = json.loads(answer.getvalue())
    assert [item["title"] for item in items] == [f"Title {number}" for number in range(2 * STREAM_ROWS + 1, 0, -1)]


def test_all_of_nothing_is_an_empty_array(api):
    assert json.loads(api.get(POSTS, {"all": "true"}).getvalue()) == []


def test_rows_deleted_while_they_stream_leave_valid_json(api):
    make_many(STREAM_ROWS + 1)
    chunks = iter(api.get(POSTS, {"all": "true"}).streaming_content)
    first = next(chunks)
    QuerySet[Post](Post).all().delete()
    assert len(json.loads(first + b"".join(chunks))) == STREAM_ROWS


def peak_of_stream(api):
    answer = api.get(POSTS, {"all": "true"})
    tracemalloc.start()
    size = sum(map(len, answer.streaming_content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size, peak


def test_a_stream_of_three_times_the_rows_needs_no_more_memory(api):
    make_many(3 * STREAM_ROWS)
    size, peak = peak_of_stream(api)
    make_many(6 * STREAM_ROWS)
    long_size, long_peak = peak_of_stream(api)
    assert long_size > 2.9 * size
    assert long_peak < 1.2 * peak


# --- permissions ------------------------------------------------------------------------------------------------------
def requests(api, post, comment):
    new_comment = {"name": "N", "email": "a@example.com", "body": "B"}
    new_post, whole = {"title": "T", "body": "B"}, new_comment | {"post": post.pk}
    of_post, of_comment, nested = f"{POSTS}{post.pk}/", f"{COMMENTS}{comment.pk}/", f"{POSTS}{post.pk}/comments/"
    return {
        "view_post": [api.get(POSTS), api.get(POSTS, {"all": "true"}), api.get(of_post)],
        "view_comment": [api.get(COMMENTS), api.get(of_comment), api.get(nested)],
        "add_post": [api.send("POST", POSTS, new_post)],
        "add_comment": [api.send("POST", COMMENTS, whole), api.send("POST", nested, new_comment)],
        "change_post": [api.send("PUT", of_post, new_post), api.send("PATCH", of_post, {})],
        "change_comment": [api.send("PUT", of_comment, whole), api.send("PATCH", of_comment, {})],
        "delete_comment": [api.delete(of_comment)],
        "delete_post": [api.delete(f"{POSTS}{make_posts(1)[0].pk}/")],  # one without comments
    }


@pytest.mark.parametrize("granted", [None, *NEWS])
def test_each_address_asks_for_its_own_permission(granted):
    api = ApiClient(make_user(permissions=[granted] if granted else []))
    (post,) = make_posts(1)
    (comment,) = make_comments(post, 1)
    for needed, answers in requests(api, post, comment).items():
        allowed = granted is not None and granted in (needed, needed.replace("view", "change"))
        for answer in answers:
            assert (answer.status_code < 300) == allowed, (needed, answer)
            if not allowed:
                assert answer.status_code == 403
                errors(answer)
                action, model = needed.split("_")
                said = f"You need the permission news.{needed} to {action} {model}s."
                assert answer.json()["detail"] == said


def test_a_superuser_may_all(api):
    client = ApiClient(make_user("administrator", permissions=[], is_superuser=True))
    (post,) = make_posts(1)
    for answers in requests(client, post, make_comments(post, 1)[0]).values():
        assert all(answer.status_code < 300 for answer in answers)


# --- slashes ----------------------------------------------------------------------------------------------------------
def test_every_address_works_without_its_final_slash(api):
    created = api.send("POST", POSTS.rstrip("/"), {"title": "T", "body": "B"})
    assert created.status_code == 201
    path = created["Location"].rstrip("/")
    assert api.send("PUT", path, {"title": "U", "body": "B"}).json()["title"] == "U"
    assert api.send("PATCH", path, {"title": "V"}).json()["title"] == "V"
    assert api.get(path).json()["title"] == "V"
    nested = api.send("POST", f"{path}/comments", {"name": "N", "email": "a@example.com", "body": "B"})
    assert nested.status_code == 201
    for address in (POSTS.rstrip("/"), COMMENTS.rstrip("/"), f"{path}/comments", nested["Location"].rstrip("/")):
        assert api.get(address, follow=False).status_code == 200
    assert api.get(f"{COMMENTS.rstrip('/')}?name=N&limit=1").json()["items"][0]["name"] == "N"
    assert api.delete(path).status_code == 204
