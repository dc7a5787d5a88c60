"""The mapping that a guided setup suggests, from the names and values of one record."""

from typing import Any

import pytest

from syncer.models import Route, Target
from syncer.targets.guide import Example
from syncer.targets.rest.setup.records import ids_of, values_of
from syncer.targets.rest.setup.suggest import suggest

POST = {"user_id": 1, "title": "A", "body": "B"}
ORDER = {
    "id": "0190", "product_name": "Lamp", "quantity": 3, "status": "NEW", "created_at": "2026-11-29T12:30:00+00:00",
}  # fmt: skip

pytestmark = pytest.mark.django_db


def suggested(model: str, values: dict[str, Any], ours: dict[str, Any], **columns: Any) -> Route:
    target = Target.objects.create(name="api", url="https://api.example.com")
    route = Route(target=target, model=model, path="/records", **columns)
    return suggest(route, values, Example(name=f"{model}:1", values=ours))


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"id": 5, "userId": 1, "title": "t", "body": "b"}, {"userId": "user_id", "title": "title", "body": "body"}),
        ({"id": 5, "User-ID": 1, "Title": "t"}, {"User-ID": "user_id", "Title": "title"}),
        ({"id": 5, "name": "t", "content": "b"}, {"name": "title", "content": "body"}),
        ({"id": 5, "data.title": "t", "data.slug": "s"}, {"data.title": "title", "data.slug": "slug"}),
        ({"id": 5, "titles": "t"}, {"titles": "title"}),
        ({"id": 5, "user.id": 1, "title": "t"}, {"user.id": "user_id", "title": "title"}),
        ({"id": 5, "nothing": 1}, {"user_id": "user_id", "title": "title", "body": "body"}),
        ({}, {"user_id": "user_id", "title": "title", "body": "body"}),
    ],
)  # fmt: skip
def test_fields_are_matched_by_name_and_each_only_once(values, fields):
    assert suggested("news.Post", values, POST).fields == fields


def test_the_id_of_a_record_and_its_constants_get_nothing():
    values = {"id": 5, "title": "posts", "name": "t"}
    assert suggested("news.Post", values, POST, constants={"title": "posts"}).fields == {"name": "title"}


def test_a_child_without_a_route_for_its_parent_leaves_the_key_out():
    route = suggested("news.Comment", {"id": 1, "postId": 2, "name": "n"}, {})
    assert route.fields == {"name": "name"}


def test_the_lookup_is_the_natural_key_where_all_of_it_is_sent():
    assert suggested("news.Post", {"id": 5, "userId": 1, "title": "t"}, POST).lookup == ["userId", "title"]


def test_without_the_whole_natural_key_there_is_no_lookup():
    assert suggested("news.Post", {"id": 5, "title": "t"}, POST).lookup == []


@pytest.mark.parametrize(
    ("theirs", "form"),
    [
        ("2026-01-05", {"ordered": "date"}),
        ("2026-01-05T10:00:00Z", {"ordered": "utc"}),
        ("2026-01-05T10:00:00.000Z", {"ordered": "utc_ms"}),
        ("2026-01-05 10:00:00", {"ordered": "sql"}),
        ("2026-01-05T10:00:00", {"ordered": "datetime"}),
        ("2026-01-05T10:00:00+00:00", {}),
        (1795955400, {"ordered": "epoch"}),
        (1795955400000, {"ordered": "epoch_ms"}),
        (None, {}),
        ("soon", {}),
    ],
)
def test_a_time_is_written_as_theirs_is(theirs, form):
    assert suggested("orders.Order", {"id": 1, "ordered": theirs}, ORDER).formats == form


def test_a_number_that_is_a_text_there_is_sent_as_a_text():
    route = suggested("orders.Order", {"id": 1, "qty": "4", "product": "Chair", "state": "new"}, ORDER)
    assert route.fields == {"product": "product_name", "qty": "quantity", "state": "status"}
    assert route.formats == {"qty": "text"}


def test_the_places_of_a_record_are_its_values_with_dots_between_the_names():
    record = {"id": 1, "author": {"id": 5, "tags": ["a"]}, "title": {"raw": "t", "rendered": "<p>t</p>"}, "none": {}}
    assert values_of(record) == {"id": 1, "author.id": 5, "author.tags": ["a"], "title": "t", "none": {}}
    assert values_of(["no record"]) == {}
    assert len(values_of({str(number): number for number in range(1000)})) == 200


def test_likely_ids_come_first():
    assert ids_of({"title": "t", "slug": "s", "documentId": "x", "flag": True})[:2] == ["documentId", "slug"]
