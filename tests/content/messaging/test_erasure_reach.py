"""How far an erasure reaches: into what stands beside the content, into what comes meanwhile, and no further."""

import json
import threading
from ipaddress import ip_network

import pytest
from django.db import connection, transaction
from django.test import Client

from backoffice.accounts.models import User
from backoffice.kit import waiting_files
from backoffice.kit.context import Cause, because, caused_by
from backoffice.kit.erasers import QUEUED_WORDS, RUNNING_FILE, SEARCHED_MOST
from backoffice.kit.jobs.service import start
from content.messaging.models import ERASED, Bot, Message
from content.messaging.services import erase_client
from content.orders.models import Order
from tests.content.locks import blocked_sessions
from tests.content.messaging.everywhere import places
from tests.content.messaging.support import ERASURES, MESSAGES, body, make_bot, message, program_of
from tests.flows.wait import until

pytestmark = pytest.mark.django_db(transaction=True)
CLIENT = "walrus-4711"
NAMED = {"client": CLIENT}


def erase(client=CLIENT):
    return erase_client(client=client, user=None, reason="Request 12")


# --- beside the content ----------------------------------------------------------------------------------------------
def test_reasons_and_requests_that_name_the_client_are_erased_in_every_history():
    make_bot()
    with caused_by(Cause(request_id=f"chat.{CLIENT}.1", reason=f"{CLIENT} asked for it")):
        Order.objects.create(product_name="Umbrella", quantity=1)
        message(client=CLIENT).save()
    erase()
    assert places(CLIENT) == []
    assert Order.history.get().history_change_reason == ERASED


def test_a_request_that_erases_may_itself_be_named_after_the_client(settings):
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    make_bot()
    message(client=CLIENT).save()
    named = {"X-Request-ID": f"erase.{CLIENT}", "Idempotency-Key": CLIENT}
    sent = json.dumps({"client": CLIENT, "reason": "Request 12"})
    program = program_of("erase_client")
    assert program.generic("POST", ERASURES, sent, "application/json", headers=named).status_code == 201
    assert places(CLIENT) == []


def test_a_file_that_is_too_large_to_be_searched_goes():
    name = waiting_files.new()
    with waiting_files.path(name).open("wb") as file:
        file.truncate(SEARCHED_MOST + 1)
    erase()
    assert not waiting_files.path(name).exists()


# --- no further ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("client", ["a", "by", "12"])
def test_a_client_with_a_common_name_takes_nobody_elses_reasons_along(client):
    bot = make_bot()
    bot.name = "Another"
    with because("Asked by a caller, 12 times"):
        bot.save()
    message(client=client).save()
    erase_client(client=client, user=None, reason="A request by 12 people")
    assert Bot.history.latest().history_change_reason == "Asked by a caller, 12 times"


def test_a_client_with_a_users_number_ends_nobodys_session():
    make_bot()
    editor = User.objects.create_user("editor", is_staff=True)
    browser = Client()
    browser.force_login(editor)
    message(client=str(editor.pk)).save()
    erase(str(editor.pk))
    assert browser.get("/admin/").status_code == 200


def test_a_kept_answer_of_somebody_else_is_repeated_as_it_was():
    make_bot()
    program = program_of("add_message")

    def ask():
        sent = json.dumps(body(sender="2"))
        return program.generic("POST", MESSAGES, sent, "application/json", headers={"Idempotency-Key": "key"})

    first = ask()
    message(client="1").save()
    erase("1")
    again = ask()
    assert [again[name] for name in ("ETag", "Location")] == [first[name] for name in ("ETag", "Location")]
    assert again.content == first.content


# --- meanwhile -------------------------------------------------------------------------------------------------------
@pytest.mark.postgres
@pytest.mark.parametrize("held", [Message, Message.history.model])
def test_a_message_that_is_kept_meanwhile_is_erased_whole(held):
    make_bot()
    message(1, client=CLIENT).save()
    worker = threading.Thread(target=_erase_and_close)
    with transaction.atomic():
        list(held.objects.filter(client=CLIENT).select_for_update())
        worker.start()
        until(blocked_sessions)
        message(2, client=CLIENT).save()
    worker.join(120)
    assert places(CLIENT) == []
    assert Message.objects.filter(text=ERASED).count() == 2


def test_a_file_that_is_being_made_meanwhile_goes():
    """What it has written need not be on the disk yet, so nothing is found in it."""
    job = start(
        "tests.content.messaging.works.erased_while_it_writes", user=None, title="A", here=True, arguments=NAMED
    )
    assert (job.state, job.error, job.file) == ("failed", RUNNING_FILE, "")
    assert places(CLIENT) == []


def test_a_job_that_waits_and_was_to_use_the_words_ends():
    works = "tests.content.messaging.works.erased_while_it_writes"
    theirs, others = (start(works, user=None, title="A", arguments={"client": name}) for name in (CLIENT, "heron-12"))
    erase()
    for job in (theirs, others):
        job.refresh_from_db()
    assert (theirs.state, theirs.error) == ("failed", QUEUED_WORDS)
    assert (others.state, others.arguments) == ("queued", {"client": "heron-12"})


def _erase_and_close():
    try:
        erase()
    finally:
        connection.close()
