"""One error shape for all that can go wrong under /api/, in a view or before it."""

import io
import logging
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
import requests
from django.db.models.signals import pre_save
from django.test import Client

from backoffice.kit.sessions import tokens
from backoffice.wsgi import application
from content.news.models import Post
from tests.content.api_client import errors, make_user

pytestmark = pytest.mark.django_db

POSTS = "/api/news/posts/"


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/news/", "/api/news/posts/x/", "/api/news/postsx"])
@pytest.mark.parametrize("debug", [False, True])
def test_an_unknown_address_is_a_problem(path, debug, settings):
    settings.DEBUG = debug
    answer = Client().get(path)
    assert answer.status_code == 404
    assert errors(answer) == {}
    assert answer.json()["detail"] == "There is nothing at this address."


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", POSTS, "GET, HEAD, OPTIONS, POST"),
        ("TRACE", POSTS, "GET, HEAD, OPTIONS, POST"),
        ("POST", f"{POSTS}1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("GET", "/api/token/", "OPTIONS, POST"),
        ("HEAD", "/api/token/", "OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_a_problem_that_names_the_right_ones(method, path, allow):
    answer = Client().generic(method, path)
    assert (answer.status_code, answer["Allow"]) == (405, allow)
    assert method == "HEAD" or errors(answer) == {}


def test_options_names_the_methods_to_anyone():
    answer = Client().options(POSTS)
    assert (answer.status_code, answer["Allow"], answer.content) == (204, "GET, HEAD, OPTIONS, POST", b"")


@pytest.mark.parametrize("query", ["", "?all=true"])
def test_head_answers_as_get(api, query):
    Post.objects.create(title="A", body="B")
    got, head = api.get(POSTS + query), api.head(POSTS + query)
    assert head.status_code == 200
    assert head["Content-Type"] == got["Content-Type"]


def through_the_entry_point(
    method: str, path: str, body: bytes = b"", kind: str = "", query: str = ""
) -> tuple[str, bytes]:
    """Status and body as the web server gets them: the test client has a handler of its own, and cuts HEAD itself."""
    environ: dict[str, Any] = {
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []
    content = b"".join(application(environ, lambda status, *_: statuses.append(status)))  # type: ignore[arg-type]
    return statuses[0], content


@pytest.mark.parametrize(("path", "status"), [("/api/openapi.json", "200 OK"), ("/api/nothing", "404 Not Found")])
def test_head_has_no_body_whatever_the_server_does(path, status):
    assert through_the_entry_point("HEAD", path) == (status, b"")
    assert through_the_entry_point("GET", path)[1] != b""


def test_a_host_that_is_not_ours_is_a_problem(api):
    answer = api.get(POSTS, headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "elsewhere" not in answer.content.decode()
    errors(answer)


def test_a_body_that_is_too_large_is_a_problem(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    answer = api.send("POST", POSTS, {"title": "x" * 100, "body": "B"})
    assert answer.status_code == 413
    errors(answer)


@pytest.mark.parametrize("body", [b"{", b'{"title": NaN}', b'"\\ud800"', b"\xff", b"[" * 10_000])
def test_a_body_that_is_not_json_is_a_problem(api, body):
    answer = api.send("POST", POSTS, body)
    assert answer.status_code == 400
    errors(answer)


def test_a_body_that_is_missing_is_asked_for(api):
    answer = api.generic("POST", POSTS, content_type="")
    assert answer.status_code == 422
    assert errors(answer) == {"": "The body must be a JSON object."}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "x/json"]
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_is_not_declared_as_json_is_refused_as_other_sites_can_send_it(api, kind, method):
    post = Post.objects.create(title="A", body="B")
    path = POSTS if method == "POST" else f"{POSTS}{post.pk}"
    answer = api.generic(method, path, b'{"title": "T", "body": "B"}', content_type=kind)
    assert answer.status_code == 415
    assert errors(answer) == {}
    assert Post.objects.get().title == "A"


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.backoffice+json"]
)
def test_every_json_type_is_taken(api, kind):
    assert api.generic("POST", POSTS, b'{"title": "T", "body": "B"}', content_type=kind).status_code == 201


@pytest.mark.parametrize("debug", [False, True])
def test_a_crash_reveals_nothing_and_is_logged_whole(api, settings, caplog, debug):
    def fail(**kwargs):
        raise RuntimeError("a secret of the inside")

    settings.DEBUG = debug
    pre_save.connect(fail, sender=Post, weak=False)
    try:
        with caplog.at_level(logging.ERROR):
            answer = api.send("POST", POSTS, {"title": "T", "body": "B"})
    finally:
        pre_save.disconnect(fail, sender=Post)
    assert answer.status_code == 500
    assert "inside" not in answer.content.decode()
    errors(answer)
    assert "RuntimeError: a secret of the inside" in caplog.text


def test_a_content_type_that_can_not_be_read_does_not_crash():
    status, body = through_the_entry_point("POST", POSTS, b"{}", "application/json; charset*=nothing''utf-8")
    assert status == "415 Unsupported Media Type"
    assert b"Content-Type: application/json" in body


@pytest.mark.parametrize("charset", ["hex", "idna", "undefined", "utf-16"])
@pytest.mark.parametrize(("path", "status"), [("/health/live/", "200 OK"), ("/api/openapi.json", "200 OK")])
def test_a_character_set_that_is_no_text_says_nothing_of_the_address(path, status, charset):
    kind = f"text/plain; charset={charset}"
    assert through_the_entry_point("GET", path, kind=kind, query="a=%C3%BC")[0] == status


def test_errors_outside_the_api_stay_pages():
    answer = Client().get("/nothing")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_problem_names_all_fields_at_once(api):
    answer = api.send("POST", POSTS, {"title": " ", "body": "x" * 1025})
    assert sorted(errors(answer)) == ["body", "title"]
    for field in ("body", "title"):
        assert field in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_real_client_over_a_real_server_gets_the_same(live_server):
    headers = {"Authorization": f"Bearer {tokens.begin(make_user()).access}"}
    url = f"{live_server.url}/api/news/posts"
    created = requests.post(url, json={"title": "Ünïcode ✓", "body": "B"}, headers=headers, timeout=60)
    assert created.status_code == 201
    assert created.history == []
    again = requests.get(live_server.url + created.headers["Location"], headers=headers, timeout=60)
    assert again.json()["title"] == "Ünïcode ✓"
    assert len(requests.get(url, params={"all": "true"}, headers=headers, timeout=60).json()) == 1
    refused = requests.post(url, data="{", headers=headers | {"Content-Type": "application/json"}, timeout=60)
    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    unsigned = requests.get(url, timeout=60)
    assert (unsigned.status_code, "WWW-Authenticate" in unsigned.headers) == (401, True)
