"""Items at the API, in files and in the database: what a person writes, and what only the program does."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from content.tasks.models import Item
from content.tasks.resources import ItemResource
from tests.content.api_client import errors
from tests.content.pages import sign_in

pytestmark = pytest.mark.django_db
ITEMS = "/api/tasks/items/"
MADE_BY_US = ("external_data", "external_fetched_at", "summary", "summary_source", "created_at", "updated_at")


def test_a_title_is_enough(api):
    answer = api.send("POST", ITEMS, {"title": "Repair the pump"})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["description"], made["external_id"], made["external_data"], made["summary"]) == ("", "", {}, "")
    assert made["external_fetched_at"] is None
    assert made["created_at"] <= made["updated_at"]
    assert api.get(answer["Location"]).json() == made


@pytest.mark.parametrize("title", ["", "  ", "x" * 257])
def test_a_title_is_a_line_of_1_to_256_characters(api, title):
    assert "title" in errors(api.send("POST", ITEMS, {"title": title}))
    with pytest.raises(DatabaseError), transaction.atomic():
        Item.objects.bulk_create([Item(title=title)])


@pytest.mark.parametrize("name", MADE_BY_US)
def test_what_the_program_writes_can_not_be_sent(api, item, name):
    for method, address in (("POST", ITEMS), ("PATCH", f"{ITEMS}{item.pk}/")):
        answer = api.send(method, address, {"title": "T", name: "x"})
        assert (answer.status_code, list(errors(answer))) == (422, [name])


def test_put_keeps_what_the_program_wrote(api, item):
    Item.objects.filter(pk=item.pk).update(external_data={"a": 1}, summary="S", summary_source="leading sentences")
    answer = api.send("PUT", f"{ITEMS}{item.pk}/", {"title": "New"}).json()
    assert (answer["title"], answer["description"], answer["external_id"]) == ("New", "", "")
    assert (answer["external_data"], answer["summary"]) == ({"a": 1}, "S")
    assert answer["created_at"] < answer["updated_at"]


@pytest.mark.parametrize("external_id", ["..", ".", "a/b", "a b", "-a", "a\n", "ä", "x" * 65, "a?b", "%2e"])
def test_an_external_id_is_one_step_of_an_address(api, external_id):
    assert "external_id" in errors(api.send("POST", ITEMS, {"title": "T", "external_id": external_id}))
    with pytest.raises(DatabaseError), transaction.atomic():
        Item.objects.bulk_create([Item(title="T", external_id=external_id)])


@pytest.mark.parametrize("external_id", ["", "7", "a.b", "A-7_~:x", "3fa85f64-5717-4562-b3fc-2c963f66afa6"])
def test_external_ids(api, external_id):
    assert api.send("POST", ITEMS, {"title": "T", "external_id": external_id}).status_code == 201


@pytest.mark.parametrize("value", [[], [1], "text", 1, None])
def test_external_data_is_an_object(value):
    with pytest.raises(DatabaseError), transaction.atomic():
        Item.objects.bulk_create([Item(title="T", external_data=value)])
    with pytest.raises(ValidationError):
        Item(title="T", external_data=value).full_clean()


def test_a_save_of_something_else_keeps_external_data_and_moves_updated_at(item):
    Item.objects.filter(pk=item.pk).update(external_data={"a": 1})
    item.title = "New"
    item.save(update_fields=["title"])
    stored = Item.objects.get(pk=item.pk)
    assert (stored.title, stored.external_data) == ("New", {"a": 1})
    assert stored.updated_at > stored.created_at
    assert item.history.first().external_data == {"a": 1}


def test_lists_are_filtered_ordered_and_searched(api):
    for title, external_id in (("Pump", "7"), ("Gate", ""), ("Another pump", "8")):
        Item.objects.create(title=title, external_id=external_id)

    def titles(query):
        return [one["title"] for one in api.get(f"{ITEMS}?{query}").json()["items"]]

    assert titles("external_id=7") == ["Pump"]
    assert titles("sort=title") == ["Another pump", "Gate", "Pump"]
    assert titles("search=pump&sort=-title") == ["Pump", "Another pump"]


def test_files_hold_what_a_person_writes(item):
    assert ItemResource().export(Item.objects.all()).dict == [
        {"id": item.pk, "title": "Repair the pump", "description": "It leaks.", "external_id": "7"}
    ]


def test_the_form_shows_external_data_and_does_not_edit_it(item):
    Item.objects.filter(pk=item.pk).update(external_data={"b": "<b>", "a": [1]})
    page = sign_in("tasks.change_item", "tasks.view_item").get(f"/admin/tasks/item/{item.pk}/change/")
    text = page.content.decode()
    assert "{\n  &quot;a&quot;: [\n    1\n  ],\n  &quot;b&quot;: &quot;&lt;b&gt;&quot;\n}" in text
    assert {name for name in MADE_BY_US if f'name="{name}"' in text} == set()


def test_the_history_shows_external_data_as_json(item):
    Item.objects.filter(pk=item.pk).update(external_data={"open": True, "café": None})
    page = sign_in("tasks.change_item", "tasks.view_item").get(f"/admin/tasks/item/{item.pk}/history/")
    assert "{&quot;café&quot;: null, &quot;open&quot;: true}" in re.sub("</?(span|del|ins)>", "", page.content.decode())
