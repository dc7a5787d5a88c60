"""No page keeps anybody out: every kind of page of the admin, with something on it, in the light and in the dark."""

from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from backoffice.accounts.models import User
from tests.browser import stage
from tests.browser.answers import of_administrator, of_errors, of_nobody
from tests.browser.conftest import sign_in
from tests.browser.replay import Replay
from tests.browser.tour import NARROW, context, tour
from tests.browser.walk import NO_PAGES, kind, kinds, walk
from tests.conftest import kept_rows
from tests.content.pages import administrator
from tests.remote import Remote

# Pages of other packages: `{name: view}`.
OTHERS = {"swagger": "api:openapi-view", "redoc": "redoc"}
# The pages of these packages are not ours, and have no main part to skip to.
FOREIGN = {"swagger", "redoc"}
# What is known, and is being mended: `(page, rule)`. To be empty.
TODO: set[tuple[str, str]] = set()


@pytest.fixture(scope="module")
def seen(chrome, live_server, django_db_setup, django_db_blocker):
    """What each page was found to be, by its kind."""
    host = urlsplit(live_server.url).netloc
    with Remote() as remote, django_db_blocker.unblock(), kept_rows():
        stage.build(remote)
        client = administrator()
        client.defaults["HTTP_HOST"] = host
        answers = walk(client, reverse("admin:index")) | of_administrator(client)
        answers |= {name: client.get(reverse(view)) for name, view in OTHERS.items()}
        with context(chrome, live_server.url) as opened, Replay(live_server) as replay:
            found = tour(opened.new_page(), host, replay, of_nobody(host) | of_errors(host))
            sign_in(opened, User.objects.get(username="administrator"), live_server.url)
            yield found | tour(opened.new_page(), host, replay, answers, FOREIGN)


pytestmark = pytest.mark.django_db(transaction=True)


def test_each_kind_of_page_was_seen(seen):
    known = {kind(one.address) for name, one in seen.items() if not name.startswith("error ")}
    assert kinds() - known == NO_PAGES


def test_axe_finds_nothing_critical_or_serious(seen):
    found = [(name, fault) for name, one in seen.items() for fault in one.light + one.dark]
    wrong = [f"{name}: {fault}" for name, fault in found if (name, fault.partition(":")[0]) not in TODO]
    assert "\n".join(wrong) == ""


def test_nothing_goes_wrong_in_the_console_or_asks_another_host(seen):
    assert {name: one.faults for name, one in seen.items() if one.faults} == {}


def test_each_page_has_a_title_of_its_own(seen):
    titles = Counter(title for title, _ in {(one.looks["title"], one.address) for one in seen.values()})
    assert [title for title, pages in titles.items() if pages > 1 or not title] == []


def test_each_page_has_a_language_one_main_heading_and_one_main_part(seen):
    wrong = [
        (name, one.looks)
        for name, one in seen.items()
        if name not in FOREIGN and (not one.looks["lang"] or one.looks["headings"] != 1 or one.looks["mains"] != 1)
    ]
    assert wrong == []


def test_each_page_of_somebody_signed_in_has_a_link_to_its_main_part(seen):
    without = {name for name, one in seen.items() if not one.looks["skips"]} - FOREIGN
    ways_in = {name for name, one in seen.items() if one.address.startswith("/admin/login/")}
    assert without == ways_in | {name for name in seen if name.startswith("error ")}


def test_no_page_scrolls_sideways_on_a_phone(seen):
    assert [(name, one.looks["width"]) for name, one in seen.items() if one.looks["width"] > NARROW["width"]] == []
