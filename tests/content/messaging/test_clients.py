"""The doors to erasing and exporting a client: API, admin and command, each with its permission."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.kit.urls import admin_url
from content.messaging.models import ERASED, Bot, Erasure, Message
from syncer.models import Binding, Route, Target
from tests.content.api_client import errors
from tests.content.messaging.support import BOT, CLIENTS, CONVERSATION, ERASURES, make_bot, message, program_of, user
from tests.content.pages import administrator, browser, form_of

pytestmark = pytest.mark.django_db
ODD = "a/b?c=d&é %2F+"
PAGE = "admin:messaging_erasure_add"


@pytest.fixture
def spoken():
    make_bot()
    Message.objects.bulk_create([message(0, client=ODD), message(1, client=ODD), message(2)])


def staff(*permissions):
    return browser(user(*permissions, name="staff"))


# --- API -------------------------------------------------------------------------------------------------------------
def test_the_api_erases_a_client_whatever_their_id_looks_like(spoken):
    program = program_of("erase_client")
    answer = program.send("POST", ERASURES, {"client": ODD, "reason": "Request 12"})
    assert answer.status_code == 201
    assert ODD not in answer.content.decode()
    assert answer.json()["messages"] == 2
    assert Message.objects.filter(text=ERASED).count() == 2
    assert Message.history.filter(history_type="~", history_user_name="program").count() == 2
    assert [one["reason"] for one in program.get(ERASURES).json()["items"]] == ["Request 12"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_api_asks_for_the_permission_to_erase(spoken, method):
    program = program_of("view_message", "add_message", "export_client")
    answer = program.send(method, ERASURES, {"client": ODD, "reason": "Request 12"})
    assert answer.status_code == 403
    assert not Erasure.objects.exists()


def test_an_erasure_without_a_reason_or_that_names_the_client_is_refused(spoken):
    program = program_of("erase_client")
    for body, field in (({"client": ODD}, "reason"), ({"client": ODD, "reason": f"By {ODD}"}, "reason")):
        assert list(errors(program.send("POST", ERASURES, body))) == [field]
    headers = {"X-Change-Reason": "client-7 asked"}
    data = json.dumps({"client": "client-7", "reason": "Request 12"})
    assert program.post(ERASURES, data, "application/json", headers=headers).status_code == 422


def test_the_api_exports_all_that_is_held_on_a_client(spoken):
    target = Target.objects.create(name="shop", url="http://127.0.0.1:1")
    route = Route.objects.create(target=target, model="messaging.Message", path="/messages", fields={"t": "text"})
    first = Message.objects.order_by("pk")[0]
    Binding.objects.create(route=route, object_key=str(first.pk), remote_id="17", agreed={"t": first.text})
    program = program_of("export_client")
    held = json.loads(program.get(CLIENTS, {"client": ODD}).getvalue())
    assert held["client"] == ODD
    assert [(one["from"], one["conversationId"]) for one in held["messages"]] == [(ODD, str(CONVERSATION))] * 2
    assert [(one["change"], one["message"]["from"]) for one in held["history"]] == [("added", ODD)] * 2
    [sent] = held["sent"]
    assert (sent["target"], sent["path"], sent["remote_id"]) == ("shop", "/messages", "17")
    assert sent["record"] == {"t": first.text}


def test_the_api_asks_for_the_permission_to_export(spoken):
    program = program_of("view_message", "erase_client")
    assert "messaging.export_client" in program.get(CLIENTS, {"client": ODD}).json()["detail"]


def test_of_a_client_who_is_not_known_nothing_is_held():
    program = program_of("export_client")
    held = json.loads(program.get(CLIENTS, {"client": "nobody"}).getvalue())
    assert held == {"client": "nobody", "messages": [], "history": [], "sent": []}


# --- admin -----------------------------------------------------------------------------------------------------------
def test_the_admin_shows_how_much_it_is_before_it_erases(spoken):
    client = staff("erase_client")
    shown = client.post(reverse(PAGE), {"client": ODD, "reason": "Request 12"})
    text = shown.content.decode()
    assert "2 messages," in text
    assert "1 conversation," in text
    assert not Erasure.objects.exists()
    done = client.post(reverse(PAGE), {"client": ODD, "reason": "Request 12", "sure": ""}, follow=True)
    assert "2 messages" in done.content.decode()
    assert ODD not in done.content.decode()
    assert Message.objects.filter(client=ODD).count() == 0
    assert Erasure.objects.filter(user__username="staff").count() == 1


def test_the_record_of_an_erasure_names_whoever_did_it_after_the_account_is_deleted(spoken):
    staff("erase_client").post(reverse(PAGE), {"client": ODD, "reason": "Request 12", "sure": ""})
    User.objects.get(username="staff").delete()
    record = admin_url(Erasure, "change", Erasure.objects.get().pk)
    for address in (reverse("admin:messaging_erasure_changelist"), record):
        assert ">staff<" in administrator().get(address).content.decode()


def test_the_admin_takes_the_client_from_a_message_without_naming_them_in_an_address(spoken):
    client = staff("erase_client", "view_message")
    first = Message.objects.order_by("pk")[0]
    page = client.get(reverse("admin:messaging_message_erase_of", args=[first.pk]))
    assert page.url == f"{reverse(PAGE)}?message={first.pk}"
    assert client.get(page.url).context["form"]["client"].value() == ODD


@pytest.mark.parametrize("address", [f"{PAGE}", "admin:messaging_message_erase"])
def test_the_admin_asks_for_the_permission_to_erase(spoken, address):
    client = staff("view_message", "view_erasure", "export_client")
    assert client.get(reverse(address)).status_code == 403


def test_an_erasure_is_read_only(spoken):
    client = staff("erase_client", "export_client", "view_erasure")
    made = Erasure.objects.create(client_digest="0", reason="Request 12")
    for page in ("change", "delete"):
        address = admin_url(Erasure, page, made.pk)
        assert client.post(address, {"reason": "x", "post": "yes"}).status_code == 403
    assert client.get(admin_url(Erasure, "changelist")).status_code == 200


def test_the_admin_exports_by_post_only_with_its_permission(spoken):
    address = reverse("admin:messaging_erasure_export")
    allowed = staff("export_client")
    assert allowed.get(address).status_code == 405
    assert len(json.loads(allowed.post(address, {"client": ODD}).getvalue())["messages"]) == 2


def test_the_admin_asks_for_the_permission_to_export(spoken):
    answer = staff("erase_client").post(reverse("admin:messaging_erasure_export"), {"client": ODD})
    assert answer.status_code == 403


# --- the pages of messages -------------------------------------------------------------------------------------------
def test_messages_are_read_only(spoken):
    client = staff("view_message", "add_message")
    key = Message.objects.order_by("pk")[0].pk
    assert client.get(admin_url(Message, "changelist")).status_code == 200
    change = admin_url(Message, "change", key)
    shown = client.get(change)
    assert (shown.status_code, form_of(shown, "message_form").get("text")) == (200, None)
    for address in (change, admin_url(Message, "delete", key), admin_url(Message, "add")):
        assert client.post(address, {"text": "new", "post": "yes"}).status_code == 403


@pytest.mark.parametrize(("word", "number"), [(ODD, 2), (str(CONVERSATION), 3), ("client-7", 1), ("client", 0)])
def test_messages_are_searched_by_whole_ids(spoken, word, number):
    page = staff("view_message").get(admin_url(Message, "changelist"), {"q": word})
    assert page.context["cl"].result_count == number


@pytest.mark.parametrize("lookup", ["text__contains", "client__startswith", "bot__name", "direction"])
def test_messages_are_filtered_by_what_the_page_offers_only(spoken, lookup):
    page = staff("view_message").get(admin_url(Message, "changelist"), {lookup: "x"})
    assert page.status_code == 400


@pytest.mark.parametrize(
    ("bounds", "number"),
    [
        ({"from_0": "2026-01-05", "from_1": "08:01"}, 2),
        ({"to_0": "2026-01-05", "to_1": "08:01:00"}, 2),
        ({"from_0": "2026-01-05", "to_0": "2026-01-05"}, 3),
        ({"from_0": "2026-01-06"}, 0),
    ],
)
def test_messages_are_filtered_by_time_and_bot(spoken, bounds, number):
    query = {f"timestamp_{name}": value for name, value in bounds.items()} | {"bot__id__exact": str(BOT)}
    page = staff("view_message", "view_bot").get(admin_url(Message, "changelist"), query)
    assert len(page.context["cl"].result_list) == number


def test_an_invalid_time_filters_nothing_and_is_reported(spoken):
    page = staff("view_message").get(admin_url(Message, "changelist"), {"timestamp_from_0": "x"})
    assert page["Location"].endswith("?e=1")


def test_a_bot_that_has_messages_is_not_deleted_and_the_page_says_how_many(spoken):
    client = staff("view_bot", "change_bot", "delete_bot")
    bot = Message.objects.all()[0].bot
    address = admin_url(Bot, "delete", bot.pk)
    for page in (client.get(address), client.post(address, {"post": "yes"})):
        assert (page.status_code, "Desk: 3 messages" in page.content.decode()) == (200, True)
    chosen = {"action": "delete_selected", "_selected_action": [str(bot.pk)], "post": "yes"}
    page = client.post(admin_url(Bot, "changelist"), chosen)
    assert "Desk: 3 messages" in page.content.decode()


# --- the command -----------------------------------------------------------------------------------------------------
def test_the_command_erases_a_client(spoken):
    out = StringIO()
    call_command("erase_client", ODD, "--reason", "Request 12", stdout=out)
    assert out.getvalue() == "Erased 2 messages, 2 versions.\n"
    assert Erasure.objects.get().user is None


def test_the_command_says_what_is_wrong(spoken):
    with pytest.raises(CommandError, match="may not name the client"):
        call_command("erase_client", ODD, "--reason", ODD)
