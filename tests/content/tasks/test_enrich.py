"""Enriching: what another system sends is merged into the item, or nothing is changed and the answer says why."""

import threading

import pytest
from django.db import connection

from backoffice.kit.history import column_values
from content.tasks.models import Item
from tests.content.api_client import ApiClient
from tests.content.tasks.conftest import RECORD
from tests.content.tasks.support import editor, post, problem
from tests.remote import Fault
from tools.servers import free_port

pytestmark = pytest.mark.django_db


def address(item):
    return f"/api/tasks/items/{item.pk}/enrich/"


def test_the_record_is_merged_into_the_external_data(api, item, external):
    Item.objects.filter(pk=item.pk).update(external_data={"kept": 1, "title": "old"})
    answer = post(api, address(item))
    assert answer.status_code == 200
    item.refresh_from_db()
    assert item.external_data == {"kept": 1, **RECORD}
    assert (item.title, item.description) == ("Repair the pump", "It leaks.")
    assert answer.json()["external_data"] == item.external_data
    assert item.external_fetched_at is not None
    assert [(entry.method, entry.path) for entry in external.journal] == [("GET", "/posts/7")]


def test_history_names_who_asked_and_why(api, item, external):
    answer = post(api, address(item))
    row = item.history.first()
    assert (row.history_user.username, row.history_change_reason) == ("editor", "Enriched from the external API")
    assert row.request_id == answer["X-Request-Id"]
    assert answer["ETag"].startswith(f'"{row.history_id}-')


def test_without_an_external_id_the_items_own_number_is_asked_for(api, item, external):
    Item.objects.filter(pk=item.pk).update(external_id="")
    external.store.load("posts", [{"id": item.pk, "title": "By number"}])
    assert post(api, address(item)).json()["external_data"] == {"id": item.pk, "title": "By number"}


def test_the_credential_of_the_settings_is_sent(api, item, external, settings):
    settings.TASKS_EXTERNAL_AUTHORIZATION = "Bearer only-for-tests"
    assert post(api, address(item)).status_code == 200
    assert external.journal[0].headers["Authorization"] == "Bearer only-for-tests"


# --- what goes wrong -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "status", "why"),
    [
        ({"kind": Fault.RESET}, 502, "closed the connection before it answered"),
        ({"kind": Fault.HANG}, 504, "did not answer within 0.3 s"),
        ({"kind": Fault.SLOW, "seconds": 5}, 504, "did not finish its answer within 0.6 s"),
        ({"kind": Fault.CUT}, 502, "sent a broken answer"),
        ({"kind": Fault.TRUNCATED}, 502, "sent an answer that is not JSON"),
        ({"kind": Fault.HTML}, 502, "sent an answer that is not JSON"),
        ({"kind": Fault.EMPTY}, 502, "sent an answer that is not JSON"),
        ({"kind": Fault.REDIRECT}, 502, "answered 302"),
        ({"kind": Fault.STATUS, "status": 401}, 502, "answered 401"),
        ({"kind": Fault.STATUS, "status": 500, "times": None}, 502, "answered 500"),
        ({"kind": Fault.STATUS, "status": 429, "times": None}, 502, "answered 429"),
        ({"kind": Fault.STATUS, "status": 200, "body": [1]}, 502, "sent a record that is not a JSON object"),
        ({"kind": Fault.STATUS, "status": 200, "body": {"a": "\0"}}, 502, "holds a null character"),
        ({"kind": Fault.STATUS, "status": 200, "body": {"\0": 1}}, 502, "record that holds a null character"),
        ({"kind": Fault.STATUS, "status": 200, "body": {"a": 10**30}}, 502, "holds a number beyond 64 bits"),
        ({"kind": Fault.STATUS, "status": 200, "body": {"a": "x" * 300_000}}, 502, "more than 262144 bytes"),
    ],
    ids=lambda value: value["kind"].name if isinstance(value, dict) else None,
)
def test_a_failed_fetch_says_why_and_changes_nothing(api, item, external, settings, fault, status, why):
    settings.TASKS_EXTERNAL_TIMEOUT = 0.3
    before = column_values(item)
    external.fault(**fault)
    found, detail = problem(post(api, address(item)))
    assert (found, detail.startswith("The external API "), why in detail) == (status, True, True), detail
    assert column_values(Item.objects.get(pk=item.pk)) == before
    assert item.history.count() == 1


def test_a_record_that_is_nested_too_deeply_is_refused(api, item, external):
    body: dict[str, object] = {}
    for _ in range(40):
        body = {"a": body}
    external.fault(Fault.STATUS, status=200, body=body)
    assert problem(post(api, address(item))) == (
        502,
        "The external API sent a record that is nested more than 32 levels deep.",
    )


def test_what_adds_up_to_too_much_is_refused(api, item, external):
    Item.objects.filter(pk=item.pk).update(external_data={"a": "x" * 200_000})
    external.fault(Fault.STATUS, status=200, body={"b": "x" * 100_000})
    assert problem(post(api, address(item)))[0] == 502
    assert list(Item.objects.get(pk=item.pk).external_data) == ["a"]


def test_a_refused_connection_is_502(api, item, external, settings):
    settings.TASKS_EXTERNAL_URL = f"http://127.0.0.1:{free_port()}/posts"
    assert problem(post(api, address(item))) == (502, "The external API refused the connection.")


def test_a_private_address_needs_to_be_allowed(api, item, external, settings):
    settings.PRIVATE_NETWORKS = []
    status, detail = problem(post(api, address(item)))
    assert (status, "a private address" in detail) == (502, True)
    assert not external.journal


def test_without_an_address_the_setting_is_named(api, item):
    assert problem(post(api, address(item))) == (
        503,
        "The external API is not set up here: the setting TASKS_EXTERNAL_URL is empty.",
    )


def test_a_record_that_is_not_there_is_an_error_of_the_external_id(api, item, external):
    Item.objects.filter(pk=item.pk).update(external_id="99")
    answer = post(api, address(item))
    assert problem(answer)[0] == 422
    assert answer.json()["errors"] == [{"field": "external_id", "message": "The external API has no record 99."}]


def test_a_service_that_asks_to_wait_too_long_is_not_waited_for(api, item, external):
    external.fault(Fault.STATUS, status=429, retry_after=120)
    answer = post(api, address(item))
    assert problem(answer)[0] == 504
    assert "asks to wait 120 s" in answer.json()["detail"]
    assert answer["Retry-After"] == "120"
    assert len(external.journal) == 1


# --- edits meanwhile -------------------------------------------------------------------------------------------------
def during(external, client, item, edit):
    """The answer to an enrichment during which `edit()` happened; its key alone could make one transaction of it."""
    answers = []

    def ask():
        try:
            answers.append(post(client, address(item), headers={"Idempotency-Key": "one"}))
        finally:
            connection.close()

    with external.hold("GET", "/posts/*") as held:
        thread = threading.Thread(target=ask)
        thread.start()
        held.wait_arrived()
        edit()  # waits in vain where a transaction is open meanwhile
        held.release()
        thread.join(120)
    return answers[0]


@pytest.fixture
def fetching(transactional_db, external):
    """For requests in threads of their own."""
    item = Item.objects.create(title="Repair the pump", external_id="7")
    return external, ApiClient(editor()), item


def test_an_edit_during_the_fetch_is_not_lost(fetching):
    external, client, item = fetching

    def edit():
        Item.objects.filter(pk=item.pk).update(title="Edited", external_data={"added": True})

    assert during(external, client, item, edit).status_code == 200
    stored = Item.objects.get(pk=item.pk)
    assert (stored.title, stored.external_data) == ("Edited", {"added": True, **RECORD})


def test_a_record_of_another_id_is_not_merged(fetching):
    external, client, item = fetching
    answer = during(external, client, item, lambda: Item.objects.filter(pk=item.pk).update(external_id="8"))
    assert problem(answer) == (409, "The item names the record 8 now, not 7; ask again.")
    assert Item.objects.get(pk=item.pk).external_data == {}


def test_an_item_that_is_deleted_during_the_fetch_stays_deleted(fetching):
    external, client, item = fetching
    answer = during(external, client, item, lambda: Item.objects.filter(pk=item.pk).delete())
    assert problem(answer)[0] == 404
    assert not Item.objects.exists()


# --- who may, and when -----------------------------------------------------------------------------------------------
def test_it_needs_the_permission_to_change(item, external):
    client = ApiClient(editor("view_item", name="reader"))
    assert problem(post(client, address(item))) == (403, "You need the permission tasks.change_item to change items.")
    assert not external.journal


def test_an_item_that_is_not_there_is_404(api, external):
    assert problem(post(api, "/api/tasks/items/999/enrich/")) == (404, "There is no item 999.")


def test_a_repeated_key_does_not_fetch_again(api, item, external):
    answers = [post(api, address(item), headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(external.journal) == 1


def test_a_failure_may_be_repeated_under_the_same_key(api, item, external):
    external.fault(Fault.RESET)
    answers = [post(api, address(item), headers={"Idempotency-Key": "one"}).status_code for _ in range(2)]
    assert answers == [502, 200]


def test_an_unknown_parameter_is_refused(api, item, external):
    assert problem(post(api, f"{address(item)}?wiat=false"))[0] == 422
