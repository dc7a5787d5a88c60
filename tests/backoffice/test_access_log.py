"""Each request leaves a line in the log: what, by whom, from where, and how it ended."""

import logging
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.content.api_client import ApiClient, make_user
from tests.content.pages import administrator

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "access")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "access"]


def test_a_line_names_request_answer_user_and_address(lines):
    user = make_user()
    answer = ApiClient(user).get("/api/news/posts/?search=secret", REMOTE_ADDR="192.0.2.7")
    line = rf"GET /api/news/posts/ 200 \d+\.\d ms {len(answer.content)} B user={user.pk} 192\.0\.2\.7"
    assert re.fullmatch(line, lines()[-1])


def test_a_line_of_a_page_names_the_user_and_one_of_a_stranger_none(lines):
    client = administrator()
    client.get(reverse("admin:index"))
    assert f"user={client.session['_auth_user_id']} 127.0.0.1" in lines()[-1]
    Client().get(reverse("admin:login"))
    assert "user=- 127.0.0.1" in lines()[-1]


def test_the_line_has_the_id_of_the_request(lines, caplog):
    answer = Client().get("/api/nothing")
    assert "GET /api/nothing 404 " in lines()[-1]
    [record] = [record for record in caplog.records if record.name == "access"]
    assert (record.status, record.path) == (404, "/api/nothing")
    assert answer["X-Request-ID"]


def test_a_path_forges_no_line(lines):
    Client().get("/nowhere%0A2026-11-30 GET /forged/ 200")
    assert "GET /nowhere%0A2026-11-30%20GET%20/forged/%20200 404" in lines()[-1]


@pytest.mark.parametrize("path", ["/health/live/", "/static/nothing.css"])
def test_health_checks_and_static_files_are_left_out(lines, path):
    Client().get(path)
    assert lines() == []


def test_an_error_of_the_program_is_logged_too(lines):
    Client(raise_request_exception=False, HTTP_HOST="elsewhere.example").get("/admin/")
    assert "GET /admin/ 400 " in lines()[-1]


def test_a_line_costs_no_statement(lines):
    with CaptureQueriesContext(connection) as queries:
        Client().get("/api/openapi.json")
    assert len(queries) == 0
    assert lines()
