"""Many objects at once: found by a saved view, changed after a look at what changes, and changed back."""

import pytest
from playwright.sync_api import expect

from content.news.models import Post
from tests.backoffice.accounts.people import account
from tests.browser.content import fake_api
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def posts(remote, transactional_db):
    for title in ("Party in spring", "Party in autumn", "Parking"):
        Post.objects.create(title=title, body="Nine to five.")
    sync(fake_api(remote))


@pytest.mark.usefixtures("posts")
def test_a_saved_view_finds_the_objects_that_are_changed_together_and_changed_back(visit):
    page = visit(account("importer", "importer"))
    main = page.get_by_role("main")
    page.goto("/admin/news/post/")
    main.get_by_placeholder("Type to search").fill("party")
    main.get_by_placeholder("Type to search").press("Enter")
    main.get_by_text("Save or delete views").click()
    main.get_by_label("Save this list").fill("Parties")
    main.get_by_role("button", name="Save view").click()
    expect(main.get_by_text("The view “Parties” is saved.")).to_be_visible()
    page.goto("/admin/news/post/")
    main.get_by_role("link", name="Parties").click()
    expect(main.get_by_role("link", name="Party in")).to_have_count(2)
    main.get_by_label("Select all objects on this page for an action").check()
    main.get_by_label("Select action to run").select_option("Change …")
    main.get_by_role("button", name="Run").click()
    expect(main.get_by_role("heading", name="Change 2 objects")).to_be_visible()
    main.get_by_label("New value of Body").fill("Nine to six.")
    main.get_by_role("button", name="See what changes…").click()
    expect(main.get_by_role("heading", name="Nothing is changed yet. Every object can be changed.")).to_be_visible()
    expect(main.locator("tr.update del")).to_have_text(["five", "five"])
    expect(main).to_contain_text("At most 2 updates will go to Fake API.")
    main.get_by_role("button", name="Change 2 objects").click()
    expect(main.get_by_role("heading", name="The objects were changed.")).to_be_visible()
    assert Post.objects.filter(body="Nine to six.").count() == 2
    main.get_by_role("button", name="Undo this change").click()
    expect(main.get_by_role("heading", name="It was undone.")).to_be_visible()
    assert set(Post.objects.values_list("body", flat=True)) == {"Nine to five."}
