"""A new password by mail, which tells nobody whether an account exists."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db.models import F
from django.test import Client
from django_q.models import OrmQ

from backoffice.accounts.password_reset import mail as task
from backoffice.accounts.password_reset import views
from backoffice.kit.audit.models import Entry
from backoffice.kit.sign_in.models import Failures
from tests.backoffice.accounts.people import account
from tests.backoffice.accounts.second_factor.app import equipped
from tests.backoffice.test_settings import PRODUCTION, settings_with
from tests.content.pages import browser

pytestmark = pytest.mark.django_db
PASSWORD, NEW = "correct-horse-battery", "another-horse-battery"
LOGIN, ASK, SENT = "/admin/login/", "/admin/login/password/", "/admin/login/password/sent/"
EMAIL = "editor@example.com"


@pytest.fixture(autouse=True)
def enabled(settings):
    settings.PASSWORD_RESET, settings.NODE_URL = True, "https://backoffice.example"


@pytest.fixture
def editor():
    return account("editor", "editor", password=PASSWORD, email=EMAIL)


def ask(email=EMAIL, **client):
    return Client(**client).post(ASK, {"email": email})


def deliver():
    """What the worker does with the queue; returns the link of the one mail."""
    for row in OrmQ.objects.all():
        queued = row.task
        assert queued["func"] == task.TASK
        task.send(*queued["args"])
        row.delete()
    (sent,) = mail.outbox
    link = re.search(r"https://backoffice\.example(/\S+)", str(sent.body))
    assert link
    return link[1]


def follow(client, link):
    """Open a link of a mail; returns the address of the page with the form."""
    return client.get(link)["Location"]


def set_password(client, page, password=NEW):
    return client.post(page, {"new_password1": password, "new_password2": password})


def test_a_mail_leads_to_a_new_password(editor):
    session = browser(editor)
    assert "Send the mail" in Client().get(ASK).content.decode()
    assert ask()["Location"] == SENT
    assert "a mail is on its way" in Client().get(SENT).content.decode()
    link = deliver()
    client = Client()
    page = follow(client, link)
    form = client.get(page).content.decode()
    assert "editor" in form
    assert "Set the password" in form
    assert set_password(client, page)["Location"] == LOGIN
    editor.refresh_from_db()
    assert editor.check_password(NEW)
    assert session.get("/admin/").status_code == 302  # older sessions end
    assert client.get("/admin/").status_code == 302  # and none begins
    assert [*Entry.objects.filter(action__startswith="password").order_by("pk").values_list("action", flat=True)] == [
        "password.reset_asked", "password.reset_mailed", "password.changed", "password.reset_done"
    ]  # fmt: skip
    again = Client()
    assert "does not work any more" in again.get(follow(again, link)).content.decode()


def test_the_token_of_a_link_is_in_no_path_that_is_logged(editor, caplog):
    ask()
    link = deliver()
    client = Client()
    with caplog.at_level("INFO"):
        client.get(follow(client, link))
    token = urlsplit(link).query.partition("token=")[2]
    assert token
    assert "/admin/login/password/" in caplog.text
    assert token not in caplog.text


@pytest.mark.parametrize("who", ["nobody", "inactive", "signs in elsewhere"])
def test_the_answer_is_the_same_for_those_who_get_no_mail(editor, who):
    if who == "nobody":
        editor.email = "other@example.com"
    elif who == "inactive":
        editor.is_active = False
    else:
        editor.set_unusable_password()
    editor.save()
    answer = ask()
    assert (answer.status_code, answer["Location"], answer.content) == (302, SENT, b"")
    assert OrmQ.objects.count() == 1
    with pytest.raises(ValueError, match="not enough values"):
        deliver()


def test_requests_wait_like_failed_sign_ins_whosever_the_address_is(editor, long_waits, settings):
    settings.SIGN_IN_FREE_FAILURES = {"account": 2, "address": 6, "known": 60}
    for email in (EMAIL, "nobody@example.com"):
        assert [ask(email).status_code for _ in range(3)] == [302, 302, 429]
        assert ask(email.upper()).status_code == 429
    assert [ask(f"{number}@example.com").status_code for number in range(3)] == [302, 302, 429]
    assert ask("9@example.com", REMOTE_ADDR="203.0.113.9").status_code == 302
    Failures.objects.update(last_at=F("last_at") - timedelta(minutes=1))
    assert ask().status_code == 302
    assert Client().post(LOGIN, {"username": "editor", "password": PASSWORD}).status_code == 302  # counts of their own


def test_a_second_factor_is_asked_for_all_the_same():
    equipped(email=EMAIL)
    ask()
    client = Client()
    set_password(client, follow(client, deliver()))
    answer = client.post(LOGIN, {"username": "editor", "password": NEW})
    assert answer["Location"].startswith("/admin/login/code/")


def test_a_weak_password_and_a_broken_link_are_refused(editor):
    ask()
    client = Client()
    page = follow(client, deliver())
    assert set_password(client, page, "12345678").status_code == 200
    for link in ("/admin/login/password/link/", "/admin/login/password/link/?uid=../&token=x"):
        stranger = Client()
        assert "does not work any more" in stranger.get(follow(stranger, link)).content.decode()
    editor.refresh_from_db()
    assert editor.check_password(PASSWORD)


def test_the_mail_is_in_the_language_of_the_person_else_of_the_page(editor):
    Client().post(ASK, {"email": EMAIL}, headers={"Accept-Language": "de"})
    deliver()
    assert "neues Passwort" in mail.outbox[0].subject
    mail.outbox.clear()
    type(editor).objects.update(language="fr")
    Client().post(ASK, {"email": EMAIL}, headers={"Accept-Language": "de"})
    deliver()
    assert "nouveau mot de passe" in mail.outbox[0].subject


def test_without_mail_there_is_nothing_of_it(editor, settings):
    assert ASK in Client().get(LOGIN).content.decode()
    settings.PASSWORD_RESET = False
    assert ASK not in Client().get(LOGIN).content.decode()
    pages = (ASK, SENT, "/admin/login/password/link/", f"/admin/login/password/MQ/{views.SET}/")
    assert [Client().get(address).status_code for address in pages] == [404] * 4


def test_it_needs_a_mail_server_and_the_address_of_the_node(tmp_path):
    given = {"EMAIL_URL": "smtp://mail.example", "BACKOFFICE_URL": "https://backoffice.example"}
    assert settings_with(tmp_path, {**PRODUCTION, **given}).PASSWORD_RESET
    for name in given:
        assert not settings_with(tmp_path, {**PRODUCTION, **given, name: ""}).PASSWORD_RESET
