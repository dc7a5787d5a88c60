"""What the tests of flows of content share: a target, a file that is uploaded, one that is downloaded."""

from typing import Any

from syncer.models import Route, Target
from tests.browser.tour import NARROW
from tests.remote import Remote


def fake_api(remote: Remote) -> Target:
    """A target that posts and their comments travel to."""
    target = Target.objects.create(name="fakeapi", title="Fake API", url=remote.url, timeout=5)
    post = {"userId": "user_id", "title": "title", "body": "body"}
    Route.objects.create(target=target, model="news.Post", path="/posts", fields=post, lookup=["userId", "title"])
    comment = {"postId": "post", "name": "name", "email": "email", "body": "body"}
    Route.objects.create(target=target, model="news.Comment", path="/comments", fields=comment, lookup=["name"])
    return target


def upload(page: Any, name: str, text: str) -> None:
    """Give a file to the form of an import, and ask for what it would change."""
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("File to import").set_input_files(file)
    page.get_by_role("button", name="Show what would change").click()


def download(page: Any, button: str) -> str:
    """Return the text of the CSV file that a button gives."""
    with page.expect_download() as started:
        page.get_by_role("button", name=button).click()
    return str(started.value.path().read_text(encoding="utf-8-sig"))


def right_edge(element: Any) -> float:
    """Return where an element ends, in pixels from the left of the window."""
    box = element.bounding_box()
    return float(box["x"] + box["width"])


def is_within_reach(page: Any) -> bool:
    """Return whether the page is not wider than a phone."""
    return bool(page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"])
