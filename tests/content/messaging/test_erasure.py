"""Erasing a client: afterwards no table and no file holds their id or a text of theirs."""

import json
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django_q.models import OrmQ
from django_q.tasks import async_task

from content.messaging.models import ERASED, Erasure, Message
from content.messaging.services import client_digest, erase_client
from syncer.engine.claims import claim
from syncer.engine.plan import plan
from syncer.engine.runs import run_here
from syncer.engine.sender import Sender
from syncer.engine.wake import wake_for_news
from syncer.models import Attempt, Binding, Route, Run, Target
from syncer.models.routemap import RouteMap
from syncer.targets.base import Step
from syncer.targets.rest.deliver import deliver
from tests.content.messaging.everywhere import places
from tests.content.messaging.planting import CLIENT, PLANTED, TEXTS, WORDS, plant
from tests.content.messaging.support import MESSAGES, body, make_bot, message, program_of, user
from tests.remote import Fault
from tests.syncer.support import computing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(remote):
    """Bots and messages go to the fake remote."""
    made = Target.objects.create(name="remote", url=remote.url, timeout=10)
    Route.objects.create(target=made, model="messaging.Bot", path="/bots", fields={"key": "id", "name": "name"})
    fields = {"bot": "bot", "way": "direction", "who": "client"}
    fields |= {"room": "conversation", "at": "timestamp", "say": "text"}
    lookup = ["room", "at", "way"]
    Route.objects.create(target=made, model="messaging.Message", path="/messages", fields=fields, lookup=lookup)
    return made


@pytest.fixture
def spoken(target):
    """Three messages of the client, by the API, and one of somebody else."""
    make_bot()
    program = program_of("add_message", "view_message")
    for number, text in enumerate(TEXTS):
        sent = body(sender=CLIENT, text=text, timestamp=f"2026-01-05T08:0{number}:00Z")
        headers = {"Idempotency-Key": f"key-{number}"}
        answer = program.generic("POST", MESSAGES, json.dumps(sent), "application/json", headers=headers)
        assert answer.status_code == 201
    message(9, client="somebody else", text="Not to be erased.").save()


@pytest.mark.slow
def test_no_table_and_no_file_holds_the_client_or_their_texts(remote, target, spoken):
    plant(remote, target)
    planted = places(*WORDS)
    for needed in PLANTED:
        assert any(needed in place for place in planted), f"nothing was planted in {needed}"
    record = erase_client(client=CLIENT, user=None, reason="Request 12")
    assert places(*WORDS) == []
    assert record.messages == 2
    assert set(record.counts) >= {"versions", "sent records", "kept answers", "jobs", "files", "sessions"}


# --- the messages ----------------------------------------------------------------------------------------------------
def test_a_conversation_stays_readable_and_nobody_elses_is_touched(spoken):
    erase_client(client=CLIENT, user=None, reason="Request 12")
    erased = Message.objects.exclude(client="somebody else")
    assert {found.text for found in erased} == {ERASED}
    assert len({found.client for found in erased}) == 1
    assert erased[0].client.startswith("erased-")
    assert Message.objects.get(client="somebody else").text == "Not to be erased."


def test_each_message_gets_a_version_that_says_who_erased_it_and_why(spoken):
    editor = user("erase_client")
    erase_client(client=CLIENT, user=editor, reason="Request 12")
    rows = Message.history.filter(history_type="~")
    said = [(row.text, row.history_user, row.history_change_reason) for row in rows]
    assert said == [(ERASED, editor, "Request 12")] * 3
    assert Message.history.filter(text=ERASED).count() == 6


def test_the_record_says_how_many_but_not_who(spoken):
    record = erase_client(client=CLIENT, user=None, reason="Request 12")
    assert (record.messages, record.counts["versions"]) == (3, 3)
    assert record.client_digest == client_digest(CLIENT) != client_digest("somebody else")
    assert CLIENT not in str(vars(record))


def test_erasing_again_does_no_harm(spoken):
    erase_client(client=CLIENT, user=None, reason="Request 12")
    again = erase_client(client=CLIENT, user=None, reason="Request 12")
    assert (again.messages, again.counts) == (0, {})
    assert Erasure.objects.count() == 2


@pytest.mark.parametrize(
    ("client", "reason", "field"),
    [
        ("", "Why", "client"),
        ("x" * 129, "Why", "client"),
        ("a\0", "Why", "client"),
        (CLIENT, "", "reason"),
        (CLIENT, f"Request of {CLIENT}", "reason"),
        (CLIENT, "x" * 101, "reason"),
    ],
)
def test_an_erasure_that_says_too_little_or_too_much_is_refused(client, reason, field):
    with pytest.raises(ValidationError) as refused:
        erase_client(client=client, user=None, reason=reason)
    assert list(refused.value.message_dict) == [field]
    assert not Erasure.objects.exists()


# --- what the targets hold -------------------------------------------------------------------------------------------
def test_the_targets_are_sent_the_messages_without_the_words(remote, target, spoken):
    run_here(target)
    remote.clear_journal()
    erase_client(client=CLIENT, user=None, reason="Request 12")
    run_here(target)
    assert [entry.method for entry in remote.writes()] == ["PUT"] * 3
    held = [record for record in remote.records("/messages").values() if record["who"] != "somebody else"]
    assert {record["say"] for record in held} == {ERASED}
    assert len(held) == 3


def test_a_route_that_follows_changes_is_woken(target, spoken):
    Route.objects.update(trigger="change")
    run_here(target)
    erase_client(client=CLIENT, user=None, reason="Request 12")
    assert wake_for_news() == 1


def test_a_worker_that_is_sending_meanwhile_keeps_nothing_of_it(remote, target, spoken):
    """It read the words before they were erased, and is answered after."""
    route = Route.objects.get(model="messaging.Message")
    sync_bots(target)
    routes = RouteMap(target)
    plan(routes, route)
    run = Run.objects.create(target=target, trigger="command")

    def work(sender):
        try:
            bindings = claim(routes, Step(route=route), keys=None, limit=10, lease=60)
            deliver(run, routes, route, [bindings], sender)
        finally:
            connection.close()

    held = remote.hold("POST", "/messages")
    with Sender(target) as sender:
        worker = threading.Thread(target=work, args=(sender,))
        worker.start()
        held.wait_arrived()
        erase_client(client=CLIENT, user=None, reason="Request 12")
        remote.release()
        worker.join(120)
    assert Attempt.objects.filter(run=run).count() == 4
    assert places(*WORDS) == []


def sync_bots(target):
    messages = Route.objects.filter(model="messaging.Message")
    messages.update(enabled=False)
    run_here(target)
    messages.update(enabled=True)


def test_an_unanswered_create_is_found_again_by_what_is_not_personal(remote, target, spoken):
    remote.fault(Fault.RESET, method="POST", path="/messages", act=True)
    run_here(target)
    assert Binding.objects.filter(create_body__isnull=False).count() == 1
    erase_client(client=CLIENT, user=None, reason="Request 12")
    Binding.objects.update(not_before=None)
    run_here(target)
    assert len(remote.records("/messages")) == 4
    assert {record["say"] for record in remote.records("/messages").values()} == {ERASED, "Not to be erased."}


def test_an_unanswered_create_that_can_be_found_by_its_words_only_is_in_doubt(remote, target, spoken):
    Route.objects.filter(model="messaging.Message").update(lookup=["say"])
    remote.fault(Fault.RESET, method="POST", path="/messages", act=True, where=lambda sent: sent["who"] == CLIENT)
    run_here(target)
    erase_client(client=CLIENT, user=None, reason="Request 12")
    assert Binding.objects.get(create_body__isnull=False).in_doubt
    assert Attempt.objects.filter(action="create", answer=ERASED).exists()


@pytest.fixture
def computed():
    """A message has a computed field that is made from what was said."""

    def start(text: str) -> str:
        return f"It begins: {text}"

    def page(text: str) -> int:
        return int(text)

    with computing(Message, start=start, page=page):
        yield


def test_what_was_made_from_personal_words_is_erased_from_an_unanswered_create(remote, target, spoken, computed):
    route = Route.objects.get(model="messaging.Message")
    route.fields |= {"start": "start"}
    route.save()
    remote.fault(Fault.RESET, method="POST", path="/messages", act=True)
    run_here(target)
    erase_client(client=CLIENT, user=None, reason="Request 12")
    assert places(*WORDS) == []


@pytest.mark.parametrize(
    "columns", [{"formats": {"say": "number"}}, {"fields": {"bot": "bot", "page": "page"}}], ids=["format", "computed"]
)
def test_the_reason_why_a_message_can_not_be_sent_keeps_nothing_of_it(target, spoken, computed, columns):
    Route.objects.filter(model="messaging.Message").update(**columns)
    run_here(target)
    assert Binding.objects.filter(reason__contains=TEXTS[2]).exists()
    erase_client(client=CLIENT, user=None, reason="Request 12")
    assert places(*WORDS) == []


def test_a_look_up_for_somebody_else_that_listed_the_words_keeps_nothing_of_them(remote, target, spoken):
    """Their texts: the client's id is not sent on this route."""
    route = Route.objects.get(model="messaging.Message")
    Route.objects.filter(pk=route.pk).update(fields={name: to for name, to in route.fields.items() if name != "who"})
    run_here(target)
    remote.fault(Fault.RESET, method="POST", path="/messages", act=True)
    message(10, client="somebody else", text="Answered late.").save()
    run_here(target)
    remote.store.filters = False
    Binding.objects.update(not_before=None)
    run_here(target)
    assert Attempt.objects.filter(action="lookup", answer__contains="umbrella").exists()
    erase_client(client=CLIENT, user=None, reason="Request 12")
    assert places(*WORDS) == []


def test_words_of_the_client_in_an_answer_about_another_object_are_erased(remote, target, spoken):
    """Of a bot, which has no words of a client."""
    why = {"why": f"I am talking with {CLIENT}"}
    remote.fault(Fault.STATUS, method="POST", path="/bots", status=422, body=why)
    run_here(target)
    assert places("I am talking with") == ["table syncer_attempt", "table syncer_binding"]
    erase_client(client=CLIENT, user=None, reason="Request 12")
    assert places(*WORDS) == []


def test_a_queued_task_of_others_stays(spoken):
    async_task("tests.content.messaging.works.fail_with", "somebody else")
    erase_client(client=CLIENT, user=None, reason="Request 12")
    assert OrmQ.objects.count() == 1
