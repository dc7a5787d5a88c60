"""The id of a request, and why it was made: in the answer, in the log, in history."""

import io
import logging
import re
from ipaddress import ip_network

import pytest
from django.contrib.auth import get_user_model
from django.db.models.signals import pre_save
from django.test import Client

from content.news.models import Post
from tests.content.api_client import errors

pytestmark = pytest.mark.django_db

POSTS = "/api/news/posts/"
NEW = {"title": "T", "body": "B"}


@pytest.fixture(autouse=True)
def proxy(settings):
    """Requests of the test client come from a proxy that is trusted."""
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]


# --- in and out ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 64])
def test_the_id_of_the_proxy_comes_back(given):
    assert Client().get("/health/live/", headers={"X-Request-ID": given})["X-Request-ID"] == given


def test_an_id_of_anybody_else_is_replaced():
    answer = Client(REMOTE_ADDR="198.51.100.7").get("/health/live/", headers={"X-Request-ID": "forged"})
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "ä", "<script>", '"a"'])
def test_an_id_that_is_not_safe_is_replaced(given):
    answer = Client().get("/health/live/", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/admin/", "/nothing", "/api/nothing", POSTS, "/api/docs"])
def test_every_answer_of_the_site_has_one_of_its_own(path):
    first, second = (Client().get(path)["X-Request-ID"] for _ in range(2))
    assert first != second


# --- in the log ------------------------------------------------------------------------------------------------------
@pytest.fixture
def log():
    """What the handler that the settings made writes."""
    handler = next(one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    yield lambda: written.getvalue().splitlines()
    handler.setStream(before)


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/api/nothing", 404), ("/api/news/posts/", 401)])
def test_the_line_of_a_refused_request_names_it(log, path, status):
    assert Client().get(path, headers={"X-Request-ID": "refused"}).status_code == status
    assert [line for line in log() if path in line and "[refused]" in line]
    assert all("[refused]" in line for line in log())


def test_the_line_of_a_crash_names_it_and_so_do_those_before(log, api):
    def fail(**kwargs):
        logging.getLogger("content").warning("It is about to fail.")
        raise RuntimeError

    pre_save.connect(fail, sender=Post, weak=False)
    try:
        api.send("POST", POSTS, NEW, headers={"X-Request-ID": "crash"})
    finally:
        pre_save.disconnect(fail, sender=Post)
    first, second, *trace, access = log()
    assert "WARNING [crash] content: It is about to fail." in first
    assert "ERROR [crash] django.request: Internal Server Error: /api/news/posts/" in second
    assert trace[-1] == "RuntimeError"
    assert not [line for line in trace if "[crash]" in line]
    assert "INFO [crash] access: POST /api/news/posts/ 500 " in access


def test_a_line_outside_of_requests_has_none(log):
    logging.getLogger("content").warning("No request.")
    assert "WARNING [-] content: No request." in log()[0]


# --- in history ------------------------------------------------------------------------------------------------------
def newest():
    return Post.history.order_by("-history_id").first()


def write(api, method, **headers):
    post = Post.objects.create(**NEW)
    path = POSTS if method == "POST" else f"{POSTS}{post.pk}/"
    data = b"" if method == "DELETE" else NEW | {"title": "Changed"}
    return api.send(method, path, data, headers=headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_leaves_its_id_and_its_reason_in_history(api, method):
    answer = write(api, method, **{"X-Request-ID": "req-1", "X-Change-Reason": "The price was wrong"})
    assert answer.status_code < 300
    assert (newest().request_id, newest().history_change_reason) == ("req-1", "The price was wrong")
    assert newest().history_type == {"POST": "+", "DELETE": "-"}.get(method, "~")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_without_a_reason_there_is_none_but_always_an_id(api, method):
    answer = write(api, method)
    assert (newest().request_id, newest().history_change_reason) == (answer["X-Request-ID"], None)


def test_nothing_of_a_request_stays_for_the_next_write(api):
    write(api, "PATCH", **{"X-Request-ID": "req-1", "X-Change-Reason": "Once"})
    Post.objects.create(**NEW)
    assert (newest().request_id, newest().history_change_reason) == ("", None)


def test_the_admin_names_the_request_too():
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("editor"))
    form = {"title": "T", "body": "B", "user_id": "1"} | {
        f"comments-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    headers = {"X-Request-ID": "admin-1", "X-Change-Reason": "for the API only"}
    assert client.post("/admin/news/post/add/", form, headers=headers).status_code == 302
    assert (newest().request_id, newest().history_change_reason) == ("admin-1", None)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x" * 100, "x" * 100),
        ("Z%C3%B6lle", "Zölle"),
        ("%C3%A4" * 100, "ä" * 100),
        ("100% sure", "100% sure"),
        ("  spaces around  ", "spaces around"),
    ],
)
def test_a_reason_is_text(api, sent, kept):
    assert write(api, "PATCH", **{"X-Change-Reason": sent}).status_code == 200
    assert newest().history_change_reason == kept


@pytest.mark.parametrize(
    "sent", ["", "%20", "x" * 101, "%C3%A4" * 101, "a%0Ab", "a%00b", "\t\x07", "Zölle", "Z%F6lle", "%ED%A0%80"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_reason_that_history_can_not_keep_is_refused(api, method, sent):
    answer = write(api, method, **{"X-Change-Reason": sent})
    assert answer.status_code == 422
    assert [*errors(answer)] == ["X-Change-Reason"]
    assert newest().history_type == "+"
    assert Post.objects.get().title == "T"
