"""The main path: an edit, what it will cause, a sync by a real worker, and the word that the target has it."""

import pytest
from playwright.sync_api import expect

from content.news.models import Post
from tests.flows.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_edit_is_pending_until_it_is_synced_and_then_the_target_has_it(page, target, remote, shot):
    page.goto("/admin/news/post/add/")
    page.get_by_label("Title").fill("From the browser")
    page.locator("#id_body").fill("Words")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("main").get_by_text("pending").first).to_be_visible()
    shot(page, "post")
    with Worker():
        page.goto("/admin/")
        page.get_by_role("button", name="Sync now").first.click()
        expect(page.get_by_role("main").get_by_text("done").first).to_be_visible(timeout=60_000)
    shot(page, "run")
    page.goto(f"/admin/news/post/{Post.objects.get().pk}/change/")
    expect(page.get_by_role("main").get_by_text("in sync").first).to_be_visible()
    assert [record["title"] for record in remote.store.records("posts").values()] == ["From the browser"]
