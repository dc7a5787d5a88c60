"""A file with wrong rows: what is wrong is seen and mended, the rest imported, and all of it undone as one act."""

import pytest
from playwright.sync_api import expect

from content.news.models import Post
from tests.backoffice.accounts.people import account
from tests.browser.content import download, fake_api, is_within_reach, right_edge, upload
from tests.browser.tour import NARROW
from tests.content.files import table
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(remote, transactional_db):
    """A file with a changed post, a new one, one without a title and one that there is not."""
    post = Post.objects.create(title="Opening hours", body="Nine to five.")
    sync(fake_api(remote))
    rows = [post.pk, "Opening hours", "Nine to six."], ["", "Party", "On the roof."]
    return table(["id", "title", "body"], *rows, ["", "", "Ask the porter."], [999, "Parking", "In the yard."])


def test_wrong_rows_are_mended_in_their_file_and_an_import_is_undone_as_one_act(visit, file, shot):
    page = visit(account("importer", "importer"))
    main = page.get_by_role("main")
    page.goto("/admin/news/post/")
    main.get_by_role("link", name="Import").click()
    upload(page, "posts.csv", file)
    expect(
        main.get_by_role("heading", name="Nothing is changed yet. 2 rows can't be imported; the others can.")
    ).to_be_visible()
    expect(main).to_contain_text("At most 1 update and 1 create will go to Fake API.")
    cure = "There is no post 999 that you may see. Leave the id empty to add a new post."
    expect(main.get_by_role("row", name=f"5 id {cure}")).to_be_visible()
    expect(main.get_by_role("row", name="4 title A value is missing. Write one.")).to_be_visible()
    expect(main.locator("tr.update del")).to_have_text("five")
    shot(page, "import-errors")
    failed = download(page, "Download the failed rows")
    main.get_by_role("button", name="Import the 2 rows that are right").click()
    expect(main.get_by_role("heading", name="2 rows could not be imported; the others were.")).to_be_visible()
    main.get_by_role("link", name="Posts", exact=True).click()
    main.get_by_role("link", name="Import").click()
    upload(page, "posts-failed.csv", failed.replace(",,Ask", ",Keys,Ask").replace("999,", ","))
    expect(main.get_by_role("heading", name="Nothing is changed yet. Every row is right.")).to_be_visible()
    expect(main).not_to_contain_text("Left out")
    shot(page, "import-preview")
    main.get_by_role("button", name="Import 2 rows").click()
    expect(main.get_by_role("heading", name="It was imported.")).to_be_visible()
    assert sorted(Post.objects.values_list("title", flat=True)) == ["Keys", "Opening hours", "Parking", "Party"]
    main.get_by_role("link", name="All imports").click()
    main.get_by_role("link", name="posts.csv").click()
    main.get_by_role("button", name="Undo this import").click()
    expect(main.get_by_role("heading", name="It was undone.")).to_be_visible()
    stored = dict(Post.objects.values_list("title", "body"))
    assert stored == {"Opening hours": "Nine to five.", "Keys": "Ask the porter.", "Parking": "In the yard."}


def test_on_a_phone_nothing_of_it_is_out_of_reach(visit, file):
    page = visit(account("importer", "importer"), viewport=NARROW)
    main = page.get_by_role("main")
    page.goto("/admin/news/post/")
    main.get_by_role("link", name="More", exact=True).click()
    page.get_by_role("link", name="Import").click()
    page.wait_for_url("**/import/")
    assert is_within_reach(page)
    upload(page, "posts.csv", file)
    expect(main.get_by_role("button", name="Import the 2 rows that are right")).to_be_in_viewport()
    assert is_within_reach(page)
    assert right_edge(main.locator("tr.update ins")) < NARROW["width"]
    main.get_by_role("button", name="Import the 2 rows that are right").click()
    expect(main.get_by_role("button", name="Undo this import")).to_be_in_viewport()
    page.goto(f"/admin/news/post/{Post.objects.get(title='Party').pk}/change/")
    assert is_within_reach(page)
    save, delete = main.get_by_role("button", name="Save", exact=True), main.get_by_role("link", name="Delete")
    assert save.bounding_box()["y"] < delete.bounding_box()["y"]
