"""The API's middleware stands in the way of nothing else."""

import sys
from types import FrameType

import pytest
from django.http import HttpResponse

import backoffice.kit.api
from content.news.models import Post
from tests.content.pages import administrator, form_of

pytestmark = pytest.mark.django_db
FOLDER = backoffice.kit.api.__path__[0]


def api_files(visit) -> tuple[HttpResponse, set[str]]:
    """The answer to a visit, and the files of the API's framework that it entered."""
    entered = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(FOLDER):
            entered.add(frame.f_code.co_filename.removeprefix(f"{FOLDER}/"))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        return visit(), entered
    finally:
        sys.setprofile(before)


def test_a_page_of_the_admin_enters_one_file_of_the_api():
    post = Post.objects.create(title="A", body="B")
    client = administrator()
    address = f"/admin/news/post/{post.pk}/change/"
    form = form_of(client.get(address), "post_form") | {"title": "Changed"}
    for visit in (lambda: client.get("/admin/news/post/"), lambda: client.post(address, form)):
        answer, entered = api_files(visit)
        assert answer.status_code in (200, 302)
        assert entered == {"middleware.py"}
    assert Post.objects.get().title == "Changed"


def test_a_request_of_the_api_enters_more():
    assert len(api_files(lambda: administrator().get("/api/news/posts/"))[1]) > 3
