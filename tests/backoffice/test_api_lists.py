"""Order, search and chosen columns of lists; parameters that mean nothing are refused."""

import base64
import json
from datetime import timedelta
from operator import itemgetter
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import FieldDoesNotExist

from backoffice.accounts.models import User
from backoffice.kit.api.pagination import Keyset
from content.news.models import Comment, Post
from content.orders.models import Order
from tests.content.api_client import ApiClient, errors

pytestmark = pytest.mark.django_db

POSTS = "/api/news/posts/"
ROWS = [("b", 1), ("a", 2), ("c", 1), ("a", 1), ("b", 2)]


@pytest.fixture
def posts():
    return Post.objects.bulk_create([Post(title=title, user_id=number, body=f"Body {title}") for title, number in ROWS])


def walk(api, **query):
    """All items of a list, two at a time."""
    items, cursor = [], None
    while True:
        answer = api.get(POSTS, query | {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        items += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            return items


@pytest.mark.parametrize(
    "sort", ["title", "-title", "title,-user_id", "user_id,-title", "-user_id,-title", "id", "-id"]
)
def test_a_list_in_any_declared_order_has_each_row_once(api, posts, sort):
    names = [(name.lstrip("-"), name.startswith("-")) for name in sort.split(",")]
    found = walk(api, sort=sort)
    assert sorted(item["id"] for item in found) == sorted(post.pk for post in posts)
    expected = list(found)
    for name, falls in reversed(names):
        expected.sort(key=itemgetter(name), reverse=falls)
    assert found == expected


def test_equal_values_are_told_apart_by_the_key_in_the_same_direction(api, posts):
    assert [item["id"] for item in walk(api, sort="user_id")] == [posts[i].pk for i in (0, 2, 3, 1, 4)]
    assert [item["id"] for item in walk(api, sort="-user_id")] == [posts[i].pk for i in (4, 1, 3, 2, 0)]


def test_the_whole_list_streams_in_the_order_that_was_asked(api, posts):
    answer = api.get(POSTS, {"all": "true", "sort": "title", "fields": "title"})
    assert (
        b"".join(answer.streaming_content) == b'[{"title":"a"},{"title":"a"},{"title":"b"},{"title":"b"},{"title":"c"}]'
    )


@pytest.mark.parametrize("sort", ["body", "title;user_id", "--title", "title,", ""])
def test_an_order_that_was_not_declared_is_refused(api, sort):
    answer = api.get(POSTS, {"sort": sort})
    assert answer.status_code == 422
    assert list(errors(answer)) == ["sort"]


def test_a_cursor_of_another_order_is_refused(api, posts):
    cursor = api.get(POSTS, {"limit": 2, "sort": "title"}).json()["next"]
    answer = api.get(POSTS, {"limit": 2, "cursor": cursor})
    assert errors(answer) == {"cursor": "This is not a cursor that a list in this order gave."}


def test_a_column_that_may_be_null_gives_no_order():
    with pytest.raises(FieldDoesNotExist, match="gives no order"):
        Keyset(Comment.history.model, ["history_change_reason"])


def test_a_search_finds_all_words_in_any_declared_text(api):
    for title, body in (("Opening hours", "We open at nine"), ("Opening", "A party"), ("Hours", "opening soon")):
        Post.objects.create(title=title, body=body)
    found = api.get(POSTS, {"search": "hours OPENING"}).json()["items"]
    assert [item["title"] for item in found] == ["Hours", "Opening hours"]


def test_a_search_goes_with_filters_and_count(api, posts):
    answer = api.get(POSTS, {"search": "body", "user_id": 2, "count": "true"}).json()
    assert answer["count"] == len(answer["items"]) == 2


@pytest.mark.parametrize("text", ["%", "_", "'", "\\"])
def test_a_search_takes_every_character_as_itself(api, posts, text):
    assert api.get(POSTS, {"search": text}).json()["items"] == []


def test_only_the_columns_that_were_asked_for_come(api, posts):
    assert walk(api, fields="title,id", sort="-user_id")[0] == {"title": "b", "id": posts[4].pk}
    assert api.get(f"{POSTS}{posts[0].pk}/", {"fields": "body"}).json() == {"body": "Body b"}


@pytest.mark.parametrize("path", ["", "1/"])
@pytest.mark.parametrize("fields", ["password", "title,,id", "title;id", "*"])
def test_a_column_that_is_not_there_is_refused(api, fields, path):
    answer = api.get(f"{POSTS}{path}", {"fields": fields})
    assert answer.status_code == 422
    assert list(errors(answer)) == ["fields"]


def test_an_unknown_parameter_of_one_object_is_refused(api, posts):
    answer = api.get(f"{POSTS}{posts[0].pk}/", {"field": "title"})
    assert errors(answer) == {"field": "There is no such parameter; there are fields."}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/accounts/me/"),
        ("GET", "/api/accounts/keys/"),
        ("GET", "/api/tasks/external/posts/"),
        ("POST", "/api/token/verify/"),
        ("GET", "/api/messaging/erasures/"),
    ],
)
def test_no_address_leaves_an_unknown_parameter_out(method, path):
    api = ApiClient(User.objects.create_superuser("editor"))
    answer = api.send(method, f"{path}?nonsense=1", {"token": "x"} if method == "POST" else b"")
    assert answer.status_code == 422
    assert [*errors(answer)] == ["nonsense"]


def test_a_parameter_that_is_given_twice_is_refused(api, posts):
    answer = api.get(f"{POSTS}?user_id=1&user_id=2")
    assert errors(answer) == {"user_id": "This is given more than once."}


@pytest.mark.parametrize("value", ["0.5", "1700000000", "-1", "now"])
def test_a_number_is_not_a_date_to_compare_with(value):
    api = ApiClient(User.objects.create_superuser("editor"))
    assert [*errors(api.get("/api/tasks/items/", {"updated_at__gte": value}))] == ["updated_at__gte"]
    assert api.get("/api/tasks/items/", {"updated_at__gte": "2030-01-31T09:00:00Z"}).status_code == 200


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_is_out_of_range_in_utc_is_refused(time):
    api = ApiClient(User.objects.create_superuser("editor"))
    assert [*errors(api.get("/api/orders/", {"created_at__gte": time}))] == ["created_at__gte"]


def test_a_time_without_an_offset_is_of_the_time_zone_of_the_node(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    api = ApiClient(User.objects.create_superuser("editor"))
    api.send("POST", "/api/orders/", {"product_name": "Lamp", "quantity": 1})
    made = Order.objects.get().created_at.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    for seconds, found in ((0, 1), (1, 0)):
        time = (made + timedelta(seconds=seconds)).isoformat()
        assert len(api.get("/api/orders/", {"created_at__gte": time}).json()["items"]) == found


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ("name", ["a\0", 1]),
        ("-created_at", ["0001-01-01T00:00:00+14:00", str(UUID(int=0))]),
    ],
)
def test_a_cursor_that_no_list_gave_is_refused_and_not_asked_of_the_database(order, values):
    api = ApiClient(User.objects.create_superuser("editor"))
    path = "/api/palettes/teams/" if order == "name" else "/api/orders/"
    columns = [order, f"{order[:1] * (order[:1] == '-')}id"]
    cursor = base64.urlsafe_b64encode(json.dumps([*columns, *values]).encode()).decode()
    assert [*errors(api.get(path, {"sort": order, "cursor": cursor}))] == ["cursor"]


@pytest.mark.parametrize("search", ["a " * 1200, "a" * 60_000], ids=["words", "word"])
def test_a_search_that_is_too_long_is_refused(api, search):
    assert [*errors(api.get(POSTS, {"search": search}))] == ["search"]
    assert api.get(POSTS, {"search": ("a " * 128).strip()}).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "{}/"), ("PATCH", "{}/"), ("DELETE", "{}/")])
def test_a_write_takes_no_parameter(api, posts, method, path):
    address = f"{POSTS}{path.format(posts[0].pk)}?title=a"
    answer = api.send(method, address, {"title": "New", "body": "New"})
    assert errors(answer) == {"title": "There is no such parameter; there are none."}
    assert Post.objects.count() == len(ROWS)
    assert not Post.objects.filter(title="New").exists()
