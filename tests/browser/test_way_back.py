"""The ways back: to an older version, and from a delete."""

import pytest
from playwright.sync_api import expect

from content.news.models import Comment, Post
from tests.backoffice.accounts.people import account
from tests.browser.content import fake_api
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(remote, transactional_db):
    return fake_api(remote)


def test_an_older_version_is_found_by_its_differences_and_comes_back(visit, target, shot):
    post = Post.objects.create(title="Opening hours", body="Nine to five.")
    Post.objects.filter(pk=post.pk).update(title="Opening hours in summer", body="Nine to six.")
    sync(target)
    page = visit(account("editor", "editor"))
    main = page.get_by_role("main")
    page.goto(f"/admin/news/post/{post.pk}/change/")
    main.get_by_role("link", name="History").click()
    expect(main.locator("del")).to_have_text("five")
    expect(main.locator(".version").first.locator("ins")).to_have_text([" in summer", "six"])
    shot(page, "history")
    main.get_by_role("link", name="Revert to this…").click()
    expect(main.locator("del")).to_have_text([" in summer", "six"])
    main.get_by_label("Why? (optional)").fill("Autumn came")
    main.get_by_role("button", name="Revert to this version").click()
    expect(main.get_by_text("“Opening hours” is again as it was")).to_be_visible()
    expect(main.get_by_text("1 update will go to Fake API. This waits for the next Sync now.")).to_be_visible()
    expect(main.get_by_label("Title")).to_have_value("Opening hours")
    main.get_by_role("link", name="History").click()
    expect(main.locator(".version").first).to_contain_text("by editor")
    expect(main.locator(".version").first).to_contain_text("Autumn came")
    assert Post.objects.get().body == "Nine to five."


def test_a_deleted_post_is_found_again_and_restored_with_its_comments(visit, target, shot):
    post = Post.objects.create(title="Opening hours", body="Nine to five.")
    for name in ("Thanks", "Good to know"):
        Comment.objects.create(post=post, name=name, email="reader@example.com", body="B")
    sync(target)
    sync(target)
    page = visit(account("editor", "editor"))
    main = page.get_by_role("main")
    page.goto(f"/admin/news/post/{post.pk}/change/")
    main.get_by_role("link", name="Delete post").click()
    expect(main.get_by_role("heading", name="Delete the post “Opening hours”?")).to_be_visible()
    expect(main.get_by_text("Fake API loses 1 post and 2 comments.")).to_be_visible()
    main.get_by_label("Why? (optional)").fill("Out of date")
    main.get_by_role("button", name="Delete", exact=True).click()
    expect(main.get_by_text("The post “Opening hours” was deleted.")).to_be_visible()
    assert not Comment.objects.exists()
    main.get_by_role("link", name="Deleted", exact=True).click()
    expect(main.get_by_role("row", name="Opening hours")).to_contain_text("Out of date")
    shot(page, "deleted")
    main.get_by_label("Choose Opening hours").check()
    main.get_by_role("button", name="Restore the chosen ones…").click()
    expect(main.get_by_role("heading", name="This comes back: 1 post and 2 comments.")).to_be_visible()
    main.get_by_role("button", name="Restore", exact=True).click()
    expect(main.get_by_text("3 objects are restored.")).to_be_visible()
    assert set(Comment.objects.values_list("name", "post")) == {("Thanks", post.pk), ("Good to know", post.pk)}
