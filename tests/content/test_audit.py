"""Imports, exports and erasures leave one entry each, which names no content."""

from io import StringIO
from ipaddress import ip_network

import pytest
from django.core.management import call_command
from django.urls import reverse

from backoffice.kit.audit.models import Entry
from content.messaging.services import erase_client
from content.news.models import Post
from tests.content.files import act, export, load, preview, table
from tests.content.pages import administrator

pytestmark = pytest.mark.django_db
CLIENT = "client-4711-of-somebody"
ROWS = table(["title", "body"], ["A secret title", "B"])


def acts():
    rows = Entry.objects.filter(action__regex=r"^(import|export|erasure)\.").order_by("pk")
    assert "secret title" not in str([*rows.values()])
    assert CLIENT not in str([*rows.values()])
    return [(row.action, row.actor_name) for row in rows]


def test_an_import_is_recorded_when_it_is_uploaded_confirmed_and_undone():
    client = administrator()
    record = load(client, Post, ROWS, name=f"{CLIENT}.csv")
    act(client, record, "undo")
    assert acts() == [(f"import.{word}", "administrator") for word in ("started", "confirmed", "undone")]
    row = Entry.objects.get(action="import.confirmed")
    assert (row.subject_id, row.subject_name, row.details["new"]) == (str(record.pk), "news.Post", 1)


def test_a_cancelled_import_is_recorded():
    client = administrator()
    act(client, preview(client, Post, ROWS).context["record"], "cancel")
    assert acts() == [("import.started", "administrator"), ("import.cancelled", "administrator")]


def test_an_import_by_command_is_recorded(tmp_path):
    path = tmp_path / f"{CLIENT}.csv"
    path.write_text(ROWS)
    for options in ({"dry_run": True}, {}):
        call_command("import", "content.news.resources.PostResource", str(path), interactive=False, **options)
    assert acts() == [("import.confirmed", "")]


def test_an_export_is_recorded():
    Post.objects.create(title="A secret title", body="B")
    export(administrator(), Post)
    assert acts() == [("export.made", "administrator")]
    assert Entry.objects.get(action="export.made").details == {"model": "news.Post", "format": "CSV"}


@pytest.mark.parametrize("way", ["page", "API"])
def test_the_export_of_a_client_is_recorded(way):
    client = administrator()
    if way == "page":
        answer = client.post(reverse("admin:messaging_erasure_export"), {"client": CLIENT})
    else:
        answer = client.get("/api/messaging/clients/", {"client": CLIENT})
    assert answer.status_code == 200
    assert acts() == [("export.made", "administrator")]


def erase_by_page():
    form = {"client": CLIENT, "reason": "Request 7", "sure": "yes"}
    assert administrator().post(reverse("admin:messaging_erasure_add"), form).status_code == 302


def erase_by_api():
    form = {"client": CLIENT, "reason": "Request 7"}
    assert administrator().post("/api/messaging/erasures/", form, "application/json").status_code == 201


def erase_by_command():
    call_command("erase_client", CLIENT, reason="Request 7", stdout=StringIO())


@pytest.mark.parametrize(
    ("erase", "by"), [(erase_by_page, "administrator"), (erase_by_api, "administrator"), (erase_by_command, "")]
)
def test_an_erasure_is_recorded_without_the_client(erase, by):
    erase()
    assert acts() == [("erasure.done", by)]


def test_an_id_of_a_request_that_names_a_client_is_not_kept(settings):
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    client = administrator()
    client.post(
        "/api/messaging/erasures/",
        {"client": "somebody-else", "reason": "R"},
        "application/json",
        headers={"X-Request-ID": CLIENT},
    )
    assert acts() == [("erasure.done", "administrator")]
    erase_client(client=CLIENT, user=None, reason="Request 8")
    assert acts()[-1] == ("erasure.done", "")
