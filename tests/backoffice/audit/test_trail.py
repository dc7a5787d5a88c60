"""The audit trail is only written: nobody edits it, by page or by SQL; prune_audit alone deletes what is old."""

import json
import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.models import Entry, Retention
from backoffice.kit.audit.record import record
from backoffice.kit.context import Cause, caused_by
from tests.content.api_client import make_user
from tests.content.pages import administrator, sign_in

pytestmark = pytest.mark.django_db


def entry(action=Action.EXPORTED, *, days=0):
    return Entry.objects.create(action=action, at=timezone.now() - timedelta(days=days))


@pytest.mark.parametrize(
    "write",
    [
        lambda row: Entry.objects.filter(pk=row.pk).update(actor_name="somebody else"),
        lambda row: row.delete(),
        lambda row: Entry.objects.all().delete(),
        lambda row: row.save(),
        "UPDATE audit_entry SET address = NULL",
        "DELETE FROM audit_entry",
        pytest.param("TRUNCATE audit_entry", marks=pytest.mark.postgres),
        pytest.param("INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry", marks=pytest.mark.sqlite),
    ],
    ids=["update", "delete", "delete all", "save", "UPDATE", "DELETE", "TRUNCATE", "REPLACE"],
)
def test_the_database_refuses_to_change_entries(write):
    row = entry()
    before = list(Entry.objects.values())
    with pytest.raises(IntegrityError, match="audit trail"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(write) if isinstance(write, str) else write(row)
    assert list(Entry.objects.values()) == before


def test_the_command_deletes_what_is_old_and_records_that():
    old, new = entry(days=100), entry(days=80)
    call_command("prune_audit", days=90, stdout=StringIO())
    assert not Entry.objects.filter(pk=old.pk).exists()
    assert Entry.objects.filter(pk=new.pk).exists()
    assert not Retention.objects.exists()
    assert Entry.objects.get(action=Action.PRUNED).details["number"] == 1


def test_the_command_keeps_a_month():
    with pytest.raises(CommandError, match="at least 30 days are kept"):
        call_command("prune_audit", days=29)


def test_an_entry_says_who_what_when_and_from_where(django_capture_on_commit_callbacks, caplog):
    caplog.set_level(logging.INFO)
    editor = make_user(first_name="Ed")
    request_id = "0123456789abcdef" * 2
    with (
        caused_by(Cause(user=lambda: editor, request_id=request_id, address="192.0.2.7")),
        django_capture_on_commit_callbacks(execute=True),
    ):
        record(Action.USER_CHANGED, make_user("chief"), fields=["email"])
    row = Entry.objects.latest("pk")
    assert (row.actor_id, row.actor_name, row.address, row.request_id) == (editor.pk, "editor", "192.0.2.7", request_id)
    assert (row.subject_type, row.subject_name, row.details) == ("accounts.User", "chief", {"fields": ["email"]})
    assert timezone.now() - row.at < timedelta(minutes=1)
    [line] = [json.loads(line.message) for line in caplog.records if line.name == "audit" and "email" in line.message]
    assert (line["action"], line["actor_id"], line["subject_id"]) == ("user.changed", editor.pk, row.subject_id)
    assert not {"editor", "chief"} & {*map(str, line.values())}  # whoever reads the log may not know the accounts


def test_an_id_that_a_caller_made_up_is_not_kept():
    with caused_by(Cause(request_id="call-of-4711")):
        record(Action.EXPORTED)
    assert Entry.objects.latest("pk").request_id == ""


def test_what_is_rolled_back_leaves_neither_entry_nor_line(caplog):
    caplog.set_level(logging.INFO)
    number = Entry.objects.count()
    with transaction.atomic():
        record(Action.EXPORTED)
        transaction.set_rollback(True)
    assert (Entry.objects.count(), caplog.text) == (number, "")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action__exact=export.made", ["export.made"]),
        ("actor_name=editor", ["run.requested"]),
        ("address=192.0.2.7", ["run.requested"]),
        ("at_from_0=2001-01-01&at_to_0=2001-12-31", []),
    ],
)
def test_the_page_filters_by_person_action_day_and_address(query, found):
    client, editor = administrator(), make_user()
    first = entry()
    with caused_by(Cause(user=lambda: editor, address="192.0.2.7")):
        record(Action.RUN_REQUESTED, editor)
    page = client.get(f"{reverse('admin:audit_entry_changelist')}?{query}")
    assert [row.action for row in page.context["cl"].result_list if row.pk >= first.pk] == found


def test_a_filter_by_what_is_no_address_finds_nothing():
    page = administrator().get(reverse("admin:audit_entry_changelist"), {"address": "here"})
    assert page.status_code == 302 if connection.vendor == "postgresql" else not page.context["cl"].result_list


def test_the_page_leads_to_the_subject_and_offers_nothing():
    client, editor = administrator(), make_user()
    record(Action.USER_CHANGED, editor, fields=["email", "is_staff"], is_staff=True)
    row = Entry.objects.latest("pk")
    page = client.get(reverse("admin:audit_entry_changelist"))
    assert reverse("admin:accounts_user_change", args=[editor.pk]) in page.content.decode()
    shown = client.get(reverse("admin:audit_entry_change", args=[row.pk])).content.decode()
    assert "email, is_staff" in shown
    assert "deletelink" not in shown
    for name, args in (("add", []), ("delete", [row.pk])):
        address = reverse(f"admin:audit_entry_{name}", args=args)
        assert client.post(address, {"post": "yes"}).status_code == 403
    assert client.post(reverse("admin:audit_entry_change", args=[row.pk]), {"actor_name": "x"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    client.post(reverse("admin:audit_entry_changelist"), chosen)
    assert Entry.objects.filter(pk=row.pk).exists()


def test_a_subject_of_a_domain_that_is_gone_is_still_named():
    client = administrator()
    Entry.objects.create(action=Action.DECIDED, subject_type="gone.Thing", subject_id="5", subject_name="Thing 5")
    assert "gone.Thing Thing 5" in client.get(reverse("admin:audit_entry_changelist")).content.decode()


def test_an_act_of_no_one_subject_shows_its_details_in_the_list():
    record(Action.DECIDED, decision="hold", objects=2, models=["news.Post"], keys=[7, 8])
    page = administrator().get(reverse("admin:audit_entry_changelist")).content.decode()
    assert "decision: hold; objects: 2; models: news.Post; keys: 7, 8" in page


def test_the_page_needs_its_permission():
    address = reverse("admin:audit_entry_changelist")
    assert sign_in().get(address).status_code == 403
    assert sign_in("audit.view_entry", name="auditor").get(address).status_code == 200
