"""No page keeps anybody out: every kind of page of the admin, with something on it, in the light and in the dark."""

from collections import Counter

import pytest
from django.test import override_settings
from django.urls import reverse

from backoffice.accounts.models import User
from syncer.models import Binding
from tests.browser import stage
from tests.browser.conftest import sign_in
from tests.browser.tour import NARROW, context, tour
from tests.browser.walk import walk
from tests.conftest import kept_rows
from tests.content.pages import administrator
from tests.remote import Remote

# Pages that no link of the walk leads to, or of which one more is worth a look: `{name: (view, its arguments)}`.
OTHERS = {
    "password_change": ("admin:password_change", list),
    "rejected": ("admin:syncer_binding_change", lambda: [Binding.objects.filter(rejected__isnull=False)[0].pk]),
    "in doubt": ("admin:syncer_binding_change", lambda: [Binding.objects.filter(in_doubt=True)[0].pk]),
    "swagger": ("api:openapi-view", list),
    "redoc": ("redoc", list),
}
# Pages of nobody in particular.
SIGN_IN = {"login": "admin:login", "forgotten": "admin:password_reset", "mailbox": "admin:password_reset_sent"}
# The pages of these packages are not ours, and have no main part to skip to.
FOREIGN = {"swagger", "redoc"}
# What is known, and is being mended: `(page, rule)`. To be empty.
TODO: set[tuple[str, str]] = set()


@pytest.fixture(scope="module")
def seen(chrome, live_server, django_db_setup, django_db_blocker):
    """What each page was found to be, by its kind."""
    with Remote() as remote, django_db_blocker.unblock(), kept_rows():
        stage.build(remote)
        addresses = walk(administrator(), reverse("admin:index"))
        addresses |= {name: reverse(view, args=arguments()) for name, (view, arguments) in OTHERS.items()}
        with context(chrome, live_server.url) as opened:
            with override_settings(PASSWORD_RESET=True, OIDC_ISSUER="https://id.example"):
                addresses_of_all = {name: reverse(view) for name, view in SIGN_IN.items()}
                found = tour(opened.new_page(), live_server.url, addresses_of_all)
            sign_in(opened, User.objects.get(username="administrator"), live_server.url)
            yield found | tour(opened.new_page(), live_server.url, addresses, FOREIGN)


pytestmark = pytest.mark.django_db(transaction=True)


def test_axe_finds_nothing_critical_or_serious(seen):
    found = [(name, fault) for name, one in seen.items() for fault in one.light + one.dark]
    wrong = [f"{name}: {fault}" for name, fault in found if (name, fault.partition(":")[0]) not in TODO]
    assert "\n".join(wrong) == ""


def test_nothing_goes_wrong_in_the_console_or_asks_another_host(seen):
    assert {name: one.faults for name, one in seen.items() if one.faults} == {}


def test_each_page_has_a_title_of_its_own(seen):
    titles = Counter(one.looks["title"] for one in seen.values())
    assert [title for title, pages in titles.items() if pages > 1 or not title] == []


def test_each_page_has_a_language_one_main_heading_and_one_main_part(seen):
    wrong = [
        (name, one.looks)
        for name, one in seen.items()
        if name not in FOREIGN and (not one.looks["lang"] or one.looks["headings"] != 1 or one.looks["mains"] != 1)
    ]
    assert wrong == []


def test_each_page_of_somebody_signed_in_has_a_link_to_its_main_part(seen):
    assert {name for name, one in seen.items() if not one.looks["skips"]} - FOREIGN == {*SIGN_IN}


def test_no_page_scrolls_sideways_on_a_phone(seen):
    assert [(name, one.looks["width"]) for name, one in seen.items() if one.looks["width"] > NARROW["width"]] == []
