"""What the external API offers, a page at a time, from both kinds of lists."""

import pytest

from tests.content.api_client import ApiClient
from tests.content.tasks.support import editor, problem
from tests.remote import Fault

pytestmark = pytest.mark.django_db
POSTS = "/api/tasks/external/posts/"


@pytest.fixture
def many(external):
    external.store.delete("posts", 7)
    external.store.load("posts", [{"id": number, "title": f"Post {number}"} for number in range(1, 8)])
    return external


def walk(api, limit):
    """The ids of each page, following `next`."""
    found, cursor = [], ""
    while cursor is not None:
        answer = api.get(POSTS, {"limit": limit} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.content
        found.append([one["id"] for one in answer.json()["items"]])
        cursor = answer.json()["next"]
    return found


def test_a_list_without_pages_is_given_in_pages(api, many):
    assert walk(api, 3) == [[1, 2, 3], [4, 5, 6], [7]]
    assert many.journal[1].query == {"_page": "2", "_limit": "3"}


def test_a_list_in_numbered_pages_is_paged_through(api, many):
    pages = {"1": [{"id": 1}, {"id": 2}], "2": [{"id": 3}, {"id": 4}], "3": [{"id": 5}]}
    for page in pages.values():
        many.fault(Fault.STATUS, status=200, body=page)
    assert walk(api, 2) == [[1, 2], [3, 4], [5]]
    assert [entry.query["_page"] for entry in many.journal] == list(pages)


def test_a_total_spares_the_empty_page(api, many):
    for page in ([{"id": 1}, {"id": 2}], [{"id": 3}, {"id": 4}]):
        many.fault(Fault.STATUS, status=200, body=page, headers={"X-Total-Count": "4"})
    assert walk(api, 2) == [[1, 2], [3, 4]]


def test_a_list_with_cursors_is_paged_through(api, many, settings):
    settings.TASKS_EXTERNAL_PAGING = "cursor"
    many.page(3)
    assert walk(api, 3) == [[1, 2, 3], [4, 5, 6], [7]]
    assert many.journal[1].query == {"limit": "3", "cursor": "3"}


@pytest.mark.parametrize("cursor", ["0", "-1", "x", "9999999", "1\n", "²"])
def test_a_cursor_that_no_list_gave_is_refused(api, many, cursor):
    assert problem(api.get(POSTS, {"cursor": cursor}))[0] == 422
    assert not many.journal


def test_a_cursor_that_the_external_api_refuses_is_refused(api, many, settings):
    settings.TASKS_EXTERNAL_PAGING = "cursor"
    many.fault(Fault.STATUS, status=422)
    assert problem(api.get(POSTS, {"cursor": "zzz"})) == (422, "cursor: This is not a cursor that a list gave.")


@pytest.mark.parametrize(
    ("fault", "status", "why"),
    [
        ({"kind": Fault.RESET}, 502, "closed the connection before it answered"),
        ({"kind": Fault.STATUS, "status": 404}, 502, "answered 404"),
        ({"kind": Fault.STATUS, "status": 200, "body": {"items": []}}, 502, "sent no list of JSON objects"),
        ({"kind": Fault.STATUS, "status": 200, "body": ["a"]}, 502, "API sent no list of JSON objects"),
    ],
    ids=lambda value: value["kind"].name if isinstance(value, dict) else None,
)
def test_an_upstream_that_fails(api, many, fault, status, why):
    many.fault(**fault)
    found, detail = problem(api.get(POSTS))
    assert (found, why in detail) == (status, True), detail


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"page": 2}])
def test_wrong_parameters_are_refused(api, many, query):
    assert problem(api.get(POSTS, query))[0] == 422


def test_the_permission_to_view_items_is_enough_to_list_records(many):
    assert ApiClient(editor("view_item", name="reader")).get(POSTS).status_code == 200
    assert problem(ApiClient(editor("delete_item", name="other")).get(POSTS))[0] == 403


def test_without_an_address_the_setting_is_named(api):
    assert "TASKS_EXTERNAL_URL" in problem(api.get(POSTS))[1]
