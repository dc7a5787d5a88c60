import json

import pytest

from content.messaging.models import Message
from tests.content.api_client import ApiClient, errors
from tests.content.messaging.support import (
    BOT,
    CONVERSATION,
    MESSAGES,
    OTHER_BOT,
    body,
    make_bot,
    message,
    program_of,
    user,
)

pytestmark = pytest.mark.django_db
ELSEWHERE = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


@pytest.fixture
def program():
    make_bot()
    return program_of("view_message", "add_message")


# --- one message -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sender", "receiver", "direction"), [("client-7", str(BOT), "to"), (str(BOT), "client-7", "from")]
)
def test_a_message_is_stored_as_bot_direction_and_client_and_given_back_as_from_and_to(
    program, sender, receiver, direction
):
    sent = body(sender=sender, receiver=receiver)
    answer = program.send("POST", MESSAGES, sent)
    stored = Message.objects.get()
    assert (stored.bot_id, stored.direction, stored.client) == (BOT, direction, "client-7")
    assert answer.status_code == 201
    assert answer.json() == {"id": stored.pk} | sent | {"timestamp": "2026-01-05T08:00:00+00:00"}
    assert answer["Location"] == f"{MESSAGES}{stored.pk}/"
    assert program.get(answer["Location"]).json() == answer.json()


def test_an_id_in_the_body_is_refused(program):
    assert "id" in errors(program.send("POST", MESSAGES, body(id=1)))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-01-05T08:00:00Z", "2026-01-05T08:00:00+00:00"),
        ("2026-01-05T08:00:00.1+01:00", "2026-01-05T07:00:00.100000+00:00"),
        ("2026-01-05T08:00:00.123456Z", "2026-01-05T08:00:00.123456+00:00"),
        ("2026-01-05T08:00:00.123456999Z", "2026-01-05T08:00:00.123456+00:00"),
    ],
)
def test_up_to_nine_digits_of_a_second_are_taken_and_six_are_kept(program, sent, kept):
    assert program.send("POST", MESSAGES, body(timestamp=sent)).json()["timestamp"] == kept


@pytest.mark.parametrize(
    "sent",
    ["2026-01-05T08:00:00.1234567890Z", "2026-01-05T08:00:00", "2026-01-05", "2026-02-30T08:00:00Z",
     "0001-01-01T00:00:00+01:00", 1767600000, None, "yesterday"],
)  # fmt: skip
def test_an_invalid_time_is_refused(program, sent):
    assert list(errors(program.send("POST", MESSAGES, body(timestamp=sent)))) == ["timestamp"]


def test_neither_being_a_known_bot_is_refused_and_both_are_named(program):
    answer = program.send("POST", MESSAGES, body(receiver=str(OTHER_BOT)))
    assert answer.status_code == 422
    assert set(errors(answer)) == {"from", "to"}
    assert not Message.objects.exists()


def test_two_bots_do_not_talk_with_each_other(program):
    make_bot(OTHER_BOT, "Other")
    assert set(errors(program.send("POST", MESSAGES, body(sender=str(OTHER_BOT))))) == {"from", "to"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        *[({"text": text}, "text") for text in ("", " \n", "x" * 10_001, "a\0b")],
        *[({"sender": client}, "from") for client in ("", "x" * 129)],
        ({"conversationId": "17"}, "conversationId"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_the_name_that_was_sent(program, values, field):
    assert list(errors(program.send("POST", MESSAGES, body(**values)))) == [field]
    assert not Message.history.exists()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_not_allowed_and_the_allowed_are_named(program, method):
    message().save()
    answer = program.send(method, f"{MESSAGES}{Message.objects.get().pk}/", {})
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_message_has_an_etag_and_chosen_columns(program):
    message().save()
    address = f"{MESSAGES}{Message.objects.get().pk}/"
    tag = program.get(address)["ETag"]
    assert program.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert program.get(f"{address}?fields=text,from").json() == {"text": "What was said, number 0", "from": "client-7"}


# --- lists -----------------------------------------------------------------------------------------------------------
def numbers(answer):
    return [int(item["text"].rpartition(" ")[2]) for item in answer.json()["items"]]


@pytest.fixture
def conversation(program):
    """Ten messages in two conversations, stored in another order than that of time; the last two at the same time."""
    made = [message(number) for number in (3, 0, 4, 1, 2)] + [message(4, text="What was said, number 5")]
    elsewhere = [message(number, conversation=ELSEWHERE) for number in range(4)]
    Message.objects.bulk_create([*made, *elsewhere])
    return program


def test_a_conversation_comes_in_the_order_of_time(conversation):
    assert numbers(conversation.get(MESSAGES, {"conversationId": CONVERSATION})) == [0, 1, 2, 3, 4, 5]


def test_a_conversation_comes_in_pages_that_new_messages_do_not_move(conversation):
    query, found = {"conversationId": str(CONVERSATION), "limit": "2"}, []
    while query.get("cursor", "first"):
        answer = conversation.get(MESSAGES, query)
        found += numbers(answer)
        message(-1, text="Earlier, number 99").save()
        query["cursor"] = answer.json()["next"]
    assert found == [0, 1, 2, 3, 4, 5]


def test_other_lists_come_newest_first(conversation):
    answer = conversation.get(MESSAGES, {"bot": BOT, "limit": 3, "count": True})
    assert numbers(answer) == [5, 4, 3]
    assert answer.json()["count"] == 10
    assert numbers(conversation.get(MESSAGES, {"client": "client-7", "sort": "timestamp", "limit": 2})) == [0, 0]


def test_a_whole_list_is_streamed(conversation):
    answer = conversation.get(MESSAGES, {"conversationId": CONVERSATION, "all": True, "fields": "id"})
    assert [list(item) for item in json.loads(answer.getvalue())] == [["id"]] * 6


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"conversationId": "17"}, "conversationId"),
        ({"bot": "17"}, "bot"),
        ({"conversationID": CONVERSATION}, "conversationID"),
        ({"sort": "text"}, "sort"),
        ({"fields": "secret"}, "fields"),
        ({"cursor": "x"}, "cursor"),
        ({"limit": 501}, "limit"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(program, query, field):
    answer = program.get(MESSAGES, query)
    assert answer.status_code == 422
    assert list(errors(answer)) == [field]


def test_reading_and_adding_need_their_permissions():
    make_bot()
    nobody = ApiClient(user(name="nobody"))
    assert "messaging.view_message" in nobody.get(MESSAGES).json()["detail"]
    assert "messaging.add_message" in nobody.send("POST", MESSAGES, body()).json()["detail"]
