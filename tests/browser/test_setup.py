"""A target is set up step by step, from the empty form to its first sync."""

import pytest
from playwright.sync_api import expect

from content.news.models import Post
from tests.browser.conftest import work_off

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_target_is_set_up_from_the_empty_form_to_its_first_sync(page, remote, shot):
    remote.store.create("posts", {"userId": 1, "title": "There before", "body": "theirs"})
    Post.objects.create(title="From the shelf", body="ours")
    main = page.get_by_role("main")
    page.goto("/admin/syncer/target/")
    main.get_by_role("link", name="Set up a target step by step").click()

    main.get_by_role("textbox", name="Address").fill(remote.url)
    main.get_by_role("textbox", name="Name", exact=True).fill("Web shop")
    main.get_by_role("button", name="Check and continue").click()
    expect(page.get_by_text("Web shop is saved, and paused until the setup is done.")).to_be_visible()
    main.get_by_role("button", name="Save and try it").click()
    expect(main.get_by_role("heading", name="It works so far")).to_be_visible()
    main.get_by_role("link", name="Continue").click()

    main.get_by_label("What is sent").select_option("news.Post")
    main.get_by_role("button", name="Look for its records").click()
    expect(main.get_by_label("Their field for title").locator("option:checked")).to_have_text("title: There before")
    expect(main.get_by_text('"title": "From the shelf"')).to_be_visible()
    shot(page, "setup")
    main.get_by_role("button", name="Save and continue").click()
    expect(main.get_by_text("To be at Web shop, under /posts: 1 post.")).to_be_visible()
    main.get_by_role("button", name="Count them").click()
    expect(main.get_by_text("1 is created")).to_be_visible()
    assert len(remote.posts) == 1

    main.get_by_role("button", name="Save and switch on").click()
    main.get_by_role("button", name="Sync now").click()
    work_off()
    expect(main.get_by_text("1 created.", exact=True)).to_be_visible()
    assert [post["title"] for post in remote.posts.values()] == ["There before", "From the shelf"]
