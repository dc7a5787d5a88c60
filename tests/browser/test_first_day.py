"""Somebody's first day, without docs: what changed since yesterday, who did it, and whether the target has it."""

from datetime import timedelta

import pytest
from django.db.models import F
from playwright.sync_api import expect

from backoffice.kit.context import Cause, caused_by
from content.news.models import Post
from tests.backoffice.accounts.people import account
from tests.browser.content import fake_api
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def colleague(remote, transactional_db):
    """Somebody who changed two posts today, of which the target has one; another post is of last week."""
    user = account("colleague", "editor")
    for title in ("Parking", "Opening hours", "Party"):
        Post.objects.create(title=title, body="Nine to five.")
    Post.history.update(history_date=F("history_date") - timedelta(days=7))
    with caused_by(Cause(user=lambda: user)):
        Post.objects.filter(title="Opening hours").update(body="Nine to six.")
        sync(fake_api(remote))
        Post.objects.filter(title="Party").update(body="On the roof.")


@pytest.mark.usefixtures("colleague")
def test_home_leads_to_what_changed_since_yesterday_by_whom_and_whether_the_target_has_it(visit, shot):
    page = visit(account("editor", "editor"))
    main = page.get_by_role("main")
    page.goto("/admin/")
    people = main.get_by_role("region", name="Who changed something in the last 24 hours")
    expect(people).to_contain_text("colleague, 2 changes.")
    shot(page, "home-editor")
    people.get_by_role("link", name="All changes since yesterday").click()
    synced, pending = (main.get_by_role("row").filter(has_text=title) for title in ("Opening hours", "Party"))
    for row, state in (synced, "in sync"), (pending, "pending"):
        expect(row).to_have_count(1)
        expect(row.get_by_role("cell").nth(1)).to_have_text("colleague")
        expect(row).to_contain_text("Changed: Body")
        expect(row.get_by_role("cell").last).to_have_text(state)
    expect(main.get_by_role("row").filter(has_text="Parking")).to_have_count(0)
    synced.get_by_text("Changed: Body").click()
    expect(synced.locator("ins")).to_have_text("six")
    shot(page, "recent-changes")
    main.get_by_text("What the words mean").click()
    expect(main.get_by_text("The target accepted what we hold.")).to_be_visible()
