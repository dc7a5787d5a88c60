"""Rows of inputs in place of JSON columns, on the forms of routes and targets."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from syncer.admin.forms import ROUTE_ROWS, TARGET_ROWS
from syncer.admin.rows import Column, RowsField, rows_of
from syncer.models import Route, Target
from tests.content.pages import administrator, form_of, sign_in, with_rows

pytestmark = pytest.mark.django_db

NAME, TEXT, JSON = Column(title="name"), Column(title="text", may_be_empty=True), Column(title="value", is_json=True)
LIST, TEXTS, VALUES, NESTED = (NAME,), (NAME, TEXT), (NAME, JSON), (NAME, TEXT, JSON)
DEEP = "[" * 9 + "]" * 9


@pytest.fixture
def route(target):
    return target.routes.get(model="news.Post")


def url(row):
    return reverse(f"admin:syncer_{row._meta.model_name}_change", args=[row.pk])


def shown(row):
    return form_of(administrator().get(url(row)), f"{row._meta.model_name}_form")


def save(row, **rows):
    return administrator().post(url(row), with_rows(shown(row), **rows))


def save_fields(row, **fields):
    return administrator().post(url(row), shown(row) | fields)


def errors(answer):
    return {name: list(map(str, found)) for name, found in answer.context["adminform"].form.errors.items()}


# --- values and cells ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("columns", "value", "rows"),
    [
        (LIST, ["userId", "title"], (("userId",), ("title",))),
        (TEXTS, {"Accept": "text/html", "X-Number": "5", "X-None": ""}, None),
        (VALUES, {"a": 5, "b": True, "c": None, "d": [1, 2], "e": {"f": 1.5}}, None),
        (VALUES, {"a": "store", "b": "a b", "c": "{", "d": "NaN", "e": "[" * 5000, "f": "9" * 5000}, None),
        (VALUES, {"a": "5", "b": "true", "c": '"5"', "d": "", "e": " x ", "f": "two\nlines"}, None),
        (VALUES, {"a": "5", "b": " x "}, (("a", '"5"'), ("b", '" x "'))),
        (VALUES, {"a": "\u00fc"}, (("a", "\u00fc"),)),
        (NESTED, {"state": {"NEW": "new", "": None, "5": 5}, "b": {"x": "5"}}, None),
        (NESTED, {"state": {"NEW": "new", "OLD": None}}, (("state", "NEW", "new"), ("state", "OLD", "null"))),
    ],
)
def test_every_value_comes_back_from_its_rows(columns, value, rows):
    written = rows_of(columns, value)
    assert rows in (None, written)
    field = RowsField(columns=columns, required=False)
    assert field.clean(written) == value
    assert not field.has_changed(value, written)


@pytest.mark.parametrize(("columns", "value"), [(LIST, {"a": 1}), (VALUES, ["a"]), (NESTED, {"a": 1}), (TEXTS, "a")])
def test_a_value_of_another_shape_has_no_rows(columns, value):
    assert rows_of(columns, value) == ()


@pytest.mark.parametrize(
    ("columns", "before", "rows", "has_changed"),
    [
        (VALUES, {"a": 1, "b": 2}, (("b", "2"), ("a", "1")), False),
        (VALUES, {"a": 1}, (("a", "true"),), True),
        (VALUES, {"a": 1}, (("a", '"1"'),), True),
        (VALUES, {"a": 1}, (("", "1"),), True),
        (TEXTS, {"a": 100}, (("a", "100"),), False),
        (LIST, ["a", "b"], (("b",), ("a",)), True),
        (LIST, [], (), False),
    ],
)
def test_only_another_value_is_a_change(columns, before, rows, has_changed):
    assert RowsField(columns=columns, required=False).has_changed(before, rows) is has_changed


# --- the forms -------------------------------------------------------------------------------------------------------
def test_no_json_column_is_edited_as_json():
    for model, rows in ((Route, ROUTE_ROWS), (Target, TARGET_ROWS)):
        json_columns = {field.name for field in model._meta.fields if field.get_internal_type() == "JSONField"}
        assert json_columns == {*rows}


def test_every_json_column_of_a_route_is_saved_from_its_rows(route):
    constants = [("type", "posts"), ("version", "5"), ("text", '"5"')]
    values = [("title", "NEW", "new"), ("title", "OLD", "null")]
    answer = save(
        route,
        fields=[("author.id", "user_id"), ("title", "title")],
        lookup=["title"],
        filter=[("user_id__gt", "10")],
        constants=constants,
        values=values,
        query=[("per_page", "100")],
    )
    assert answer.status_code == 302
    route.refresh_from_db()
    assert (route.fields, route.lookup) == ({"author.id": "user_id", "title": "title"}, ["title"])
    assert (route.filter, route.query) == ({"user_id__gt": 10}, {"per_page": "100"})
    assert route.constants == {"type": "posts", "version": 5, "text": "5"}
    assert route.values == {"title": {"NEW": "new", "OLD": None}}


def test_every_json_column_of_a_target_is_saved_from_its_rows(target):
    assert save(target, headers=[("X-Version", "5")], query=[("flag", "")]).status_code == 302
    target.refresh_from_db()
    assert (target.headers, target.query) == ({"X-Version": "5"}, {"flag": ""})


def test_a_form_that_is_saved_as_it_was_shown_changes_nothing(route):
    Route.objects.filter(pk=route.pk).update(filter={"title": "5"}, constants={"b": None, "a": [1]}, query={"n": "1"})
    before = Route.objects.values().get(pk=route.pk)
    assert save(route).status_code == 302
    assert Route.objects.values().get(pk=route.pk) == before
    assert LogEntry.objects.latest("pk").get_change_message() == "No fields changed."


def test_rows_may_have_gaps_and_stand_in_the_order_of_their_numbers(route):
    form = with_rows(shown(route), lookup=[]) | {"lookup-10-0": "title", "lookup-2-0": " userId ", "lookup-3-0": " "}
    assert administrator().post(url(route), form).status_code == 302
    route.refresh_from_db()
    assert route.lookup == ["userId", "title"]


@pytest.mark.parametrize(
    ("column", "rows", "message"),
    [
        ("filter", [("user_id", "1"), ("user_id", "2")], "Row 2: It has the same name as row 1"),
        ("lookup", ["title", "title"], "Row 2: It has the same name as row 1"),
        ("values", [("title", "A", "b"), ("title", "A", "c")], "Row 2: It has the same name as row 1"),
        ("filter", [("user_id", "1"), ("", "2")], "Row 2: The field lookup is missing"),
        ("filter", [("user_id", "")], 'Row 1: The value is missing. Enter it ("" is an empty text)'),
        ("fields", [("title", "title"), ("body", "")], "Row 2: The local field is missing"),
        ("constants", [("a", "b"), ("c", DEEP)], "Row 2: It holds a NUL"),
        ("fields", [("title", "title"), ("key", "id")], "Row 2: news.Post has no field 'id' that may travel"),
        ("lookup", ["title", "nothing"], "Row 2: 'nothing' is not among the remote names"),
        ("filter", [("title", "a"), ("nothing", "b")], "Row 2: 'nothing' does not filter news.Post"),
    ],
)
def test_a_row_that_is_refused_is_named_and_marked_and_keeps_what_was_typed(route, column, rows, message):
    answer = save(route, **({"lookup": ["title"]} | {column: rows}))
    [(name, [found])] = errors(answer).items()
    assert name == column
    assert message in found
    assert {**with_rows({}, **{column: rows})}.items() <= form_of(answer, "route_form").items()
    number = int(found.removeprefix("Row ").partition(":")[0])
    text = answer.content.decode()
    assert re.findall(r'name="([a-z]+-\d+)-0"[^>]*aria-invalid', text) == [f"{column}-{number - 1}"]


def test_columns_are_not_compared_with_the_old_fields_while_the_new_ones_are_refused(route):
    answer = save(route, fields=[("name", "title"), ("name", "body")], lookup=["name"])
    assert errors(answer) == {"fields": ["Row 2: It has the same name as row 1. Remove one."]}


def test_an_error_in_a_section_that_is_collapsed_opens_it(route):
    text = administrator().get(url(route)).content.decode()
    assert text.count("<details><summary>") > 3
    answer = save(route, constants=[("a", "")])
    assert answer.content.decode().count("<details><summary>") == text.count("<details><summary>") - 1


def test_a_section_in_which_something_is_set_is_open(route):
    before = administrator().get(url(route)).content.decode().count("<details><summary>")
    Route.objects.filter(pk=route.pk).update(wrap="data")
    assert administrator().get(url(route)).content.decode().count("<details><summary>") == before - 1


def test_what_the_way_of_paging_does_not_use_is_emptied(route):
    Route.objects.filter(pk=route.pk).update(paging="page", page_name="p", first_page=0)
    client = administrator()
    form = shown(route)
    assert client.post(url(route), form).status_code == 302
    route.refresh_from_db()
    assert (route.page_name, route.first_page) == ("p", 0)
    assert client.post(url(route), form | {"paging": "link", "first_page": "7"}).status_code == 302
    route.refresh_from_db()
    assert (route.paging, route.page_name, route.first_page) == ("link", "", 1)


def test_a_local_field_is_chosen_among_those_that_may_travel(route):
    text = administrator().get(url(route)).content.decode()
    [select] = re.findall(r'<select name="fields-0-1".*?</select>', text, re.S)
    [post] = re.findall(r'<optgroup label="news.Post">.*?</optgroup>', select, re.S)
    assert re.findall(r'<option value="(\w+)"', post) == ["user_id", "title", "body", "slug"]


def test_a_format_is_chosen_and_each_choice_shows_an_example(route):
    text = administrator().get(url(route)).content.decode()
    [select] = re.findall(r'<select name="formats-0-1".*?</select>', text, re.S)
    assert "date: &quot;2026-11-29&quot;" in select
    assert "0.00: &quot;7.50&quot;" in select
    assert save(route, formats=[("title", "date")]).status_code == 302
    route.refresh_from_db()
    assert route.formats == {"title": "date"}


@pytest.mark.parametrize(
    ("way", "number", "unit", "stored"),
    [
        ("change", "5", "minute", "change"),
        ("manual", "", "", "manual"),
        ("manual", "many", "weeks", "manual"),
        ("every", "15", "minute", "every 15 minutes"),
        ("every", "1", "day", "every day"),
    ],
)
def test_a_trigger_is_chosen_and_no_text_is_typed(route, way, number, unit, stored):
    answer = save_fields(route, trigger_way=way, trigger_number=number, trigger_unit=unit)
    assert answer.status_code == 302
    route.refresh_from_db()
    assert route.trigger == stored
    assert save(route).status_code == 302
    assert LogEntry.objects.latest("pk").get_change_message() == "No fields changed."


def test_number_and_unit_of_a_trigger_have_values_of_their_own_in_a_browser(route):
    page = administrator().get(url(route)).content.decode()
    controls = re.findall(r'<(?:input|select)[^>]*name="trigger_[^>]*>', page)
    assert len(controls) == 5
    assert not [control for control in controls if "x-model" in control]


@pytest.mark.parametrize(("number", "unit"), [("", "minute"), ("0", "day"), ("-1", "day"), ("5", ""), ("x", "hour")])
def test_an_interval_that_is_none_is_refused_and_keeps_what_was_typed(route, number, unit):
    answer = save_fields(route, trigger_way="every", trigger_number=number, trigger_unit=unit)
    assert [*errors(answer)] == ["trigger"]
    assert form_of(answer, "route_form")["trigger_number"] == number
    assert Route.objects.get(pk=route.pk).trigger == "manual"


def test_a_local_field_that_may_no_longer_travel_is_still_shown(route):
    Route.objects.filter(pk=route.pk).update(fields={"key": "gone"})
    assert shown(route)["fields-0-1"] == "gone"


def test_each_cell_has_a_name_for_screen_readers(route):
    text = administrator().get(url(route)).content.decode()
    assert 'aria-label="Fields: remote name, row 1"' in text
    assert 'aria-label="Fields: local field, row 1"' in text
    assert "List parameters: parameter, row 1" in text


def test_whoever_may_only_look_reads_rows_and_no_json(route, target):
    Route.objects.filter(pk=route.pk).update(constants={"number": "5"}, values={"title": {"NEW": "new"}})
    Target.objects.filter(pk=target.pk).update(headers={"Accept": "text/html"})
    client = sign_in("syncer.view_route", "syncer.view_target")
    text = client.get(url(route)).content.decode()
    for cell in ("userId", "user_id", "number", "&quot;5&quot;", "NEW", "new"):
        assert re.search(rf'<td data-label="[\w ]+">{cell}</td>', text), cell
    assert "{&quot;" not in text
    assert "rows.js" not in text
    assert '<td data-label="Header">Accept</td>' in client.get(url(target)).content.decode()
