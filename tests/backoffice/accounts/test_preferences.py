"""Language and time zone by person."""

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone, translation

from backoffice.accounts.models import User
from backoffice.kit.moments import minute, moment
from content.news.models import Post
from tests.backoffice.accounts.people import account
from tests.content.api_client import ApiClient
from tests.content.pages import browser

pytestmark = pytest.mark.django_db
SETTINGS = "admin:accounts_user_settings"
MOMENT = datetime(2026, 7, 1, 22, 30, 15, tzinfo=UTC)


def language_of(answer):
    assert f'lang="{answer["Content-Language"]}' in answer.content.decode()
    return answer["Content-Language"]


@pytest.mark.parametrize(
    ("chosen", "browsers", "language"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9", "de"),
        ("", "nl,fr;q=0.5", "fr"),
        ("", "nl", "en"),
        ("fr", "de", "fr"),
        ("xx", "de", "de"),
    ],
)
def test_a_page_is_in_the_persons_language_else_in_the_browsers(chosen, browsers, language):
    client = browser(account("reader", language=chosen))
    headers = {"Accept-Language": browsers} if browsers else {}
    answer = client.get(reverse("admin:index"), headers=headers)
    assert language_of(answer) == language
    assert "Accept-Language" in answer["Vary"]
    assert translation.get_language() == "en"  # of the thread, after the answer


def test_the_sign_in_page_is_in_the_browsers_language(client):
    answer = client.get(reverse("admin:login"), headers={"Accept-Language": "de"})
    assert language_of(answer) == "de"
    assert "Passwort" in answer.content.decode()


def test_times_are_in_the_persons_zone():
    post = Post.objects.create(title="T", body="B")
    Post.history.update(history_date=MOMENT)
    url = reverse("admin:news_post_history", args=[post.pk])
    shown = {
        zone: browser(account(f"in{number}", "viewer", time_zone=zone)).get(url).content.decode()
        for number, zone in enumerate(("", "Europe/Berlin", "America/New_York", "Nowhere/Else"))
    }
    assert "2026-07-01 22:30:15" in shown[""]
    assert "2026-07-02 00:30:15" in shown["Europe/Berlin"]
    assert "2026-07-01 18:30:15" in shown["America/New_York"]
    assert "2026-07-01 22:30:15" in shown["Nowhere/Else"]
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_api_is_in_english_and_utc_whoever_asks():
    user = account("program", "viewer", language="de", time_zone="Asia/Tokyo")
    client = ApiClient(user)
    german = {"Accept-Language": "de"}
    problem = client.get("/api/news/posts/999/", headers=german)
    assert problem.json()["detail"].isascii()
    assert problem.json()["title"] == "Not Found"
    assert "Content-Language" not in problem
    keys = client.get("/api/accounts/keys/", headers=german)
    assert keys.status_code == 200


def test_somebody_chooses_their_language_and_zone():
    user = account("reader")
    client = browser(user)
    page = client.get(reverse(SETTINGS))
    assert "As the browser says" in page.content.decode()
    assert reverse(SETTINGS) in client.get(reverse("admin:index")).content.decode()  # in the menu
    answer = client.post(reverse(SETTINGS), {"language": "de", "time_zone": "Europe/Berlin"})
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("de", "Europe/Berlin")
    assert language_of(client.get(reverse(SETTINGS))) == "de"
    client.post(reverse(SETTINGS), {"language": "", "time_zone": ""})
    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("", "")


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"time_zone": "Nowhere/Else"}, {"time_zone": "../etc/passwd"}])
def test_what_we_do_not_have_is_not_chosen(wrong):
    user = account("reader", language="de")
    answer = browser(user).post(reverse(SETTINGS), {"language": "de", "time_zone": "", **wrong})
    assert [*answer.context["form"].errors] == [*wrong]
    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("de", "")


def test_ones_settings_are_ones_own(client):
    other = User.objects.create_user("other", language="fr")
    browser(account("reader")).post(reverse(SETTINGS), {"language": "de", "time_zone": "", "username": "other"})
    other.refresh_from_db()
    assert other.language == "fr"
    assert client.get(reverse(SETTINGS)).status_code == 302  # to the sign-in
    assert browser(account("nostaff", is_staff=False)).get(reverse(SETTINGS)).status_code == 302


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_dates_and_numbers_look_alike_in_every_language(language):
    with translation.override(language), timezone.override("Europe/Berlin"):
        page = Template("{{ at }} {{ at|date }} {{ at|time }} {{ number }}")
        text = page.render(Context({"at": MOMENT, "number": 1.5}))
        assert text == "2026-07-02 00:30 2026-07-02 00:30 1.5"
        assert moment(MOMENT) == (
            '<time datetime="2026-07-02T00:30:15+02:00" title="2026-07-02T00:30:15+02:00">2026-07-02 00:30:15</time>'
        )
        assert minute(MOMENT).endswith(">2026-07-02 00:30</time>")
        assert moment(None) == ""
