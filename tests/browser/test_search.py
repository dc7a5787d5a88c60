"""The search in the header of each page."""

import pytest
from playwright.sync_api import expect

from content.news.models import Post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def post():
    Post.objects.bulk_create(Post(title=f"Roses {n}", body="B") for n in range(3))
    return Post.objects.create(title="About <b>gardening</b>", body="Snow")


def test_ctrl_k_searches_from_within_a_field_and_enter_opens_what_was_chosen(page, post):
    page.goto("/admin/news/post/")
    page.get_by_placeholder("Type to search").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("gardening")
    dialog = page.get_by_role("dialog", name="Search")
    expect(dialog.get_by_role("status")).to_have_text("1 result")
    expect(dialog.get_by_role("link")).to_have_text("About <b>gardening</b> post")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_have_value(post.title)


def test_the_arrows_move_among_the_results_and_escape_closes(page, post):
    page.goto("/admin/")
    page.get_by_role("link", name="Search").click()
    page.keyboard.type("roses")
    links = page.get_by_role("dialog").get_by_role("link")
    expect(links).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Search everything")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_what_is_not_found_is_said(page):
    page.goto("/admin/")
    page.keyboard.press("Control+k")
    page.keyboard.type("nothing like it")
    expect(page.locator("#search-state")).to_contain_text("Nothing that you may see holds “nothing like it”.")


def test_the_results_are_a_page_too(page, post, shot):
    page.goto("/admin/search/?s=roses")
    expect(page.get_by_role("main").get_by_role("link", name="Roses")).to_have_count(3)
    shot(page, "search")
