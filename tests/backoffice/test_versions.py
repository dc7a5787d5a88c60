"""Versions of the API, asked for by `Accept`. The site of `two_versions` stands for a day when there are two."""

import pytest
from django.test import Client

from backoffice.kit.api.versions import available, of_version
from content.news.models import Post
from tests.backoffice import two_versions
from tests.content.api_client import ApiClient, errors, make_user

VENDOR = "application/vnd.backoffice+json"
POSTS = "/api/news/posts/"
THINGS = "/api/things/"


@pytest.fixture
def two(settings):
    settings.API_VERSIONS = (1, 2)
    settings.ROOT_URLCONF = two_versions.__name__


def ask(path: str, accept: str | None = None, method: str = "GET"):
    headers = {} if accept is None else {"Accept": accept}
    return Client().generic(method, path, headers=headers)


# --- which version answers -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        "application/*",
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/html, application/xhtml+xml, */*;q=0.8",
        f"{VENDOR}; version=9, application/json;q=0.1",
    ],
)
def test_whoever_names_no_version_gets_the_newest_as_plain_json(two, accept):
    answer = ask(THINGS, accept)
    assert answer.json() == {"items": ["a thing"]}
    assert (answer["API-Version"], answer["Content-Type"]) == ("2", "application/json")


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (f"{VENDOR}; version=1", 1),
        (f'{VENDOR};version="1"', 1),
        (f"{VENDOR}; version=2", 2),
        (VENDOR, 2),
        (f"{VENDOR}; version=1, {VENDOR}; version=2; q=0.5", 1),
        (f"{VENDOR}; version=1; q=0.5, {VENDOR}; version=2", 2),
        (f"{VENDOR}; version=1, application/json; q=0.5", 1),
        (f"{VENDOR}; version=9, {VENDOR}; version=1; q=0.1", 1),
    ],
)
def test_a_version_is_asked_for_by_its_number(two, accept, version):
    answer = ask(THINGS, accept)
    assert answer.json() == {1: ["a thing"], 2: {"items": ["a thing"]}}[version]
    assert answer["API-Version"] == str(version)
    assert answer["Content-Type"] == f"{VENDOR}; version={version}"


@pytest.mark.django_db  # a request ends by looking at its connection
@pytest.mark.parametrize(
    "accept", [f"{VENDOR}; version=3", f"{VENDOR}; version=x", "text/html", "application/xml", ","]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_there_is_not_is_refused_with_what_there_is(two, accept, method):
    answer = ask(THINGS, accept, method)
    assert answer.status_code == 406
    assert errors(answer) == {}
    assert answer.json()["detail"] == (
        f"Accept one of these: application/json, {VENDOR}; version=1, {VENDOR}; version=2."
    )


@pytest.mark.django_db  # a request ends by looking at its connection
@pytest.mark.parametrize("accept", ["application/json; a*=nothing''x", ";;;", "q=1", "application/json;q=x;version"])
def test_an_accept_that_can_not_be_read_does_not_crash(two, accept):
    assert ask(THINGS, accept).status_code in (200, 406)


@pytest.mark.django_db
def test_a_write_whose_answer_is_not_acceptable_is_not_done():
    api = ApiClient(make_user())
    body = b'{"title": "T", "body": "B"}'
    answer = api.generic("POST", POSTS, body, content_type="application/json", headers={"Accept": "text/html"})
    assert answer.status_code == 406
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/api/docs", "text/html", "text/html"),
        ("/api/redoc", "text/html", "text/html"),
        ("/api/others/file", "text/csv", "text/csv"),
        ("/api/others/file", "image/*", "text/csv"),
        ("/api/nothing", "text/html", "application/problem+json"),
    ],
)
def test_pages_files_and_errors_are_for_everyone(two, path, accept, kind):
    answer = ask(path, accept)
    assert answer.status_code in (200, 404)
    assert answer["Content-Type"].startswith(kind)


# --- every answer says it --------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", POSTS, 200),
        ("HEAD", POSTS, 200),
        ("OPTIONS", POSTS, 204),
        ("GET", "/api/docs", 200),
        ("GET", "/api/openapi.json", 200),
        ("GET", "/api/nothing", 404),
        ("GET", f"{POSTS}1", 404),
        ("TRACE", POSTS, 405),
        ("POST", POSTS, 422),
    ],
)
def test_every_answer_names_its_version_and_what_it_depends_on(method, path, status):
    answer = ApiClient(make_user()).generic(method, path, content_type="application/json")
    assert (answer.status_code, answer["API-Version"]) == (status, "1")
    assert "Accept" in answer["Vary"].split(", ")


def test_pages_outside_the_api_have_no_version():
    answer = Client().get("/health/live/")
    assert "API-Version" not in answer
    assert "Accept" not in answer.get("Vary", "")


# --- two versions ----------------------------------------------------------------------------------------------------
def test_a_version_carries_what_it_shares_without_a_copy(two):
    for version in (1, 2):
        assert ask(f"{THINGS}7/", f"{VENDOR}; version={version}").json() == "a thing"
    views = [
        operation.view_func
        for version in (1, 2)
        for operation in of_version(two_versions.things, version).path_operations["/{int:id}/"].operations
    ]
    assert views == [two_versions.get_thing] * 2


def test_what_came_later_is_not_in_the_older_version(two):
    assert ask("/api/others/").status_code == 200
    assert ask("/api/others/", f"{VENDOR}; version=1").status_code == 404


def test_addresses_and_slashes_work_in_each_version(two):
    for version in (1, 2):
        made = ask("/api/things", f"{VENDOR}; version={version}", "POST")
        assert (made.status_code, made["Location"]) == (201, "/api/things/1/")
        assert made["API-Version"] == str(version)


@pytest.mark.parametrize(
    ("version", "paths", "shape"),
    [
        (1, {"/api/things/", "/api/things/{id}/", "/api/others/file"}, "array"),
        (2, {"/api/things/", "/api/things/{id}/", "/api/others/file", "/api/others/"}, "object"),
    ],
)
def test_each_version_has_a_description_of_its_own(two, version, paths, shape):
    document = ask("/api/openapi.json", f"{VENDOR}; version={version}").json()
    assert document["info"]["version"] == str(version)
    assert {*document["paths"]} == paths
    content = document["paths"]["/api/things/"]["get"]["responses"]["200"]["content"]
    assert content[f"{VENDOR}; version={version}"]["schema"]["type"] == shape
    assert {*document["paths"]["/api/things/"]} == {"get", "post"}


def test_a_version_before_an_operation_or_behind_it_does_not_have_it():
    versions = available(since=2, until=3)(lambda: None).versions  # type: ignore[attr-defined]
    assert [version for version in range(1, 6) if version in versions] == [2, 3]
