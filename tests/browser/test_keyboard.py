"""Everything is reached without a mouse."""

import pytest
from playwright.sync_api import expect

from backoffice.accounts.models import User
from content.news.models import Post

pytestmark = pytest.mark.django_db(transaction=True)
FEW = 16  # stops; from the top of the page it is over forty


def focused(page):
    """What has the focus, as its id or its text."""
    return page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def stops_until(page, name):
    """How often Tab is pressed until the element of that id has the focus."""
    for number in range(1, FEW + 1):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return number
    raise AssertionError(f"{name} is not among the first {FEW} stops; the last is {focused(page)!r}")


def test_the_first_stop_skips_the_navigation_and_a_lists_search_is_a_few_further(page):
    page.goto("/admin/news/post/")
    page.keyboard.press("Tab")
    assert focused(page) == "shell-skip"
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert stops_until(page, "searchbar") <= FEW


def test_a_post_is_written_and_saved_by_keys_alone(page):
    page.goto("/admin/news/post/add/")
    page.get_by_label("Title").focus()
    page.keyboard.type("Typed")
    page.keyboard.press("Tab")
    page.keyboard.type("Without a mouse.")
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert Post.objects.get().title == "Typed"


def test_the_menu_of_the_account_opens_by_keys_and_signs_out(page):
    page.goto("/admin/")
    menu = page.get_by_role("button", name="administrator")
    menu.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    expect(page.get_by_role("heading", name="logged out")).to_be_visible()


def test_the_navigation_opens_on_a_phone_by_its_name(visit):
    page = visit(User.objects.create_superuser("administrator"), viewport={"width": 390, "height": 844})
    page.goto("/admin/")
    page.get_by_role("button", name="Show or hide the navigation").press("Enter")
    expect(page.get_by_role("link", name="Posts", exact=True).first).to_be_in_viewport()
    page.get_by_role("button", name="Close").press("Space")
    expect(page.get_by_role("button", name="Close")).not_to_be_in_viewport()
