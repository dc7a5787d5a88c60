"""Summaries: leading sentences made here, or what a chat endpoint says; each names what made it."""

import json
import logging

import pytest

from backoffice.kit.history import column_values
from content.tasks.models import Item
from content.tasks.summaries import CHAT_MOST, LEADING, LOCAL_MOST, SENT_MOST, leading_sentences
from tests.content.api_client import ApiClient
from tests.content.tasks.conftest import RECORD
from tests.content.tasks.support import editor, post, problem
from tests.remote import Fault

pytestmark = pytest.mark.django_db
KEY = "only-for-tests-0123456789"


def address(item):
    return f"/api/tasks/items/{item.pk}/summarize/"


# --- here ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("description", "external_data", "summary"),
    [
        ("It leaks. It is old. It is red.", {}, "It leaks. It is old."),
        ("It leaks", {}, "It leaks."),
        ("It leaks.", RECORD, "It leaks. The pump leaks. It was seen on Monday."),
        ("", RECORD, "The pump leaks. It was seen on Monday."),
        ("", {"id": 7, "code": "A-7"}, "Repair the pump"),
        ("First\n line. Second 3.5 kg, e.g. sand. Third.", {}, "First line. Second 3.5 kg, e.g. sand."),
        ("Wie schön! Ähnlich? Egal.", {}, "Wie schön! Ähnlich?"),
        ("   ", {}, "Repair the pump"),
    ],
    ids=range(8),
)
def test_the_leading_sentences_of_description_and_external_data(description, external_data, summary):
    item = Item(title="Repair the pump", description=description, external_data=external_data)
    found = leading_sentences(item)
    assert (found.text, found.source) == (summary, LEADING)


def test_a_long_sentence_is_cut_at_a_word():
    text = leading_sentences(Item(title="T", description="word " * 400)).text
    assert len(text) <= LOCAL_MOST
    assert text.endswith("word…")


def test_by_default_the_summary_is_made_here_and_says_so(api, item):
    answer = post(api, address(item))
    assert answer.status_code == 200
    assert (answer.json()["summary"], answer.json()["summary_source"]) == ("It leaks.", "leading sentences")
    row = item.history.first()
    assert (row.history_user.username, row.history_change_reason) == ("editor", "Summarized by leading sentences")


def test_it_needs_the_permission_to_change(item):
    client = ApiClient(editor("view_item", name="reader"))
    assert problem(post(client, address(item)))[0] == 403
    assert item.history.count() == 1


# --- by a chat endpoint ----------------------------------------------------------------------------------------------
def says(text):
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


@pytest.fixture
def chat(remote, settings):
    """The Fake API as a chat endpoint, which answers as each test plans."""
    settings.SUMMARIZER_URL = f"{remote.url}/v1"
    settings.SUMMARIZER_KEY = KEY
    settings.SUMMARIZER_MODEL = "small-1"
    settings.SUMMARIZER_TIMEOUT = 0.5
    settings.TASKS_RETRY_SECONDS = 0.01
    return remote


def test_a_chat_endpoint_is_asked_and_named(api, item, chat):
    Item.objects.filter(pk=item.pk).update(external_data={"state": "open"})
    chat.fault(Fault.STATUS, status=200, body=says("A pump\n leaks."))
    answer = post(api, address(item)).json()
    assert (answer["summary"], answer["summary_source"]) == ("A pump leaks.", "small-1 at 127.0.0.1")
    [asked] = chat.journal
    assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert (asked.body["model"], asked.body["stream"]) == ("small-1", False)
    assert json.loads(asked.body["messages"][1]["content"]) == {
        "title": "Repair the pump",
        "description": "It leaks.",
        "external_data": {"state": "open"},
    }


def test_what_is_sent_and_what_is_kept_is_bounded(api, item, chat):
    Item.objects.filter(pk=item.pk).update(external_data={"text": "long " * 10_000})
    chat.fault(Fault.STATUS, status=200, body=says("word " * 10_000))
    answer = post(api, address(item)).json()
    assert len(chat.journal[0].body["messages"][1]["content"]) == SENT_MOST
    assert CHAT_MOST - 10 < len(answer["summary"]) <= CHAT_MOST


@pytest.mark.parametrize(
    ("fault", "status", "why"),
    [
        ({"kind": Fault.HANG}, 504, "did not answer within 0.5 s"),
        ({"kind": Fault.RESET}, 502, "closed the connection"),
        ({"kind": Fault.STATUS, "status": 503, "times": None}, 502, "answered 503"),
        ({"kind": Fault.STATUS, "status": 200, "body": "x" * 300_000}, 502, "more than 262144 bytes"),
        ({"kind": Fault.STATUS, "status": 200, "body": []}, 502, "sent no message"),
        ({"kind": Fault.STATUS, "status": 200, "body": says(None)}, 502, "sent no message."),
        ({"kind": Fault.STATUS, "status": 200, "body": {"choices": []}}, 502, "summarizer sent no message"),
        ({"kind": Fault.STATUS, "status": 200, "body": says(" \0")}, 502, "sent an empty message"),
    ],
    ids=lambda value: value["kind"].name if isinstance(value, dict) else None,
)
def test_a_summarizer_that_fails_changes_nothing(api, item, chat, fault, status, why):
    before = column_values(item)
    chat.fault(**fault)
    found, detail = problem(post(api, address(item)))
    assert (found, detail.startswith("The summarizer "), why in detail) == (status, True, True), detail
    assert column_values(Item.objects.get(pk=item.pk)) == before


def test_the_key_is_in_no_log_and_no_answer(api, item, chat, settings, caplog):
    caplog.set_level(logging.DEBUG)
    settings.SUMMARIZER_KEY = f"{KEY}\nsecond line"
    refused = post(api, address(item))
    settings.SUMMARIZER_KEY = KEY
    chat.fault(Fault.STATUS, status=400, body={"error": f"wrong key {KEY}"})
    answers = [refused, post(api, address(item))]
    assert [answer.status_code for answer in answers] == [502, 502]
    assert all(KEY.encode() not in answer.content for answer in answers)
    assert KEY not in caplog.text


def test_private_addresses_only_by_a_setting(api, item, chat, settings):
    settings.PRIVATE_NETWORKS = []
    assert "a private address" in problem(post(api, address(item)))[1]
    assert not chat.journal
