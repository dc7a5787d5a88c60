"""What waits for a person at a target: its page says why, and what the person does about it ends the wait."""

import pytest
from playwright.sync_api import expect

from content.news.models import Post
from tests.browser.conftest import work_off
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)


def titles(remote):
    return [record["title"] for record in remote.posts.values()]


def test_a_rejected_object_is_corrected_and_sent_again(page, target, remote, shot):
    too_long = {"method": "POST", "where": lambda sent: len(sent["title"]) > 12, "times": None}
    remote.fault(Fault.STATUS, status=422, body={"title": ["No more than 12 characters."]}, **too_long)
    Post.objects.create(title="Much too long a title", body="Words")
    sync(target)
    main = page.get_by_role("main")
    page.goto("/admin/")
    main.get_by_role("link", name="1 rejected", exact=True).click()
    main.get_by_role("link", name="Post").click()
    shot(page, "rejected")
    expect(main.get_by_text("Answered 422: title: No more than 12 characters.")).to_be_visible()
    expect(main.get_by_role("row", name="title")).to_contain_text("The target says: No more than 12 characters.")
    expect(main.get_by_role("definition").filter(has_text=f"POST {remote.url}/posts")).to_be_visible()
    main.get_by_role("link", name="Edit the object").click()
    main.get_by_label("Title").fill("Short title")
    main.get_by_role("button", name="Save and continue editing").click()
    main.get_by_role("link", name="Details").click()
    expect(main.get_by_role("heading", name="pending")).to_be_visible()
    expect(main.get_by_text("rejected")).to_be_hidden()
    main.get_by_role("button", name="Sync now").click()
    work_off()
    expect(main.get_by_text("1 created.", exact=True)).to_be_visible()
    page.goto("/admin/syncer/binding/?state=in+sync")
    expect(main.get_by_role("row", name="Short title")).to_be_visible()
    assert titles(remote) == ["Short title"]


def test_an_object_in_doubt_is_linked_to_the_record_that_a_person_found(page, target, remote):
    target.routes.update(lookup=[])
    remote.fault(Fault.RESET, method="POST", act=True)
    post = Post.objects.create(title="Did it arrive?", body="Nobody knows.")
    sync(target)
    let_time_pass()
    sync(target)
    main = page.get_by_role("main")
    page.goto(f"/admin/news/post/{post.pk}/change/")
    main.get_by_role("link", name="Details").click()
    expect(main.get_by_role("heading", name="A create was not answered. Did it arrive?")).to_be_visible()
    main.get_by_label("It is there, its id is:").fill("1")
    main.get_by_role("button", name="Link to it").click()
    expect(page.get_by_role("heading", name="Confirm the decision")).to_be_visible()
    main.get_by_role("button", name="Yes, it is so").click()
    work_off()
    expect(main.get_by_text("1 updated.", exact=True)).to_be_visible()
    assert titles(remote) == ["Did it arrive?"]


def test_an_object_is_held_with_a_reason_and_released(page, target, remote, shot):
    post = Post.objects.create(title="Not yet", body="Words")
    Post.objects.create(title="Other", body="Words")
    main, address = page.get_by_role("main"), f"/admin/news/post/{post.pk}/change/"
    page.goto(address)
    main.get_by_role("button", name="Hold …").click()
    main.get_by_label("Reason").fill("The lawyer has to read it first.")
    main.get_by_role("button", name="Hold").click()
    expect(main.get_by_role("cell", name="The lawyer has to read it first. (administrator")).to_be_visible()
    shot(page, "hold")
    sync(target)
    assert titles(remote) == ["Other"]
    main.get_by_role("button", name="Release …").click()
    main.get_by_role("button", name="Release").click()
    expect(page.get_by_text("1 object is released. It has a change to send.")).to_be_visible()
    sync(target)
    assert titles(remote) == ["Other", "Not yet"]
