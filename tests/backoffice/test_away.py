"""A database that can't be reached, or takes too long: every page and the API say so with 503, and none with 500."""

import os
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from uuid import UUID

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client

from backoffice.kit.database import TOO_LONG, WHY, limit_statements
from tests.content.api_client import ApiClient, errors, make_user
from tests.content.pages import administrator
from tools.nodes import ROOT
from tools.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)

POSTS = "/api/news/posts/"
OPEN = ("/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/revoke/")  # they read their body first


@contextmanager
def other_settings(**changed):
    """Let the next connections have other settings."""
    settings = connection.settings_dict
    kept = {**settings, "OPTIONS": {**settings["OPTIONS"]}}
    settings.update(changed)
    try:
        yield
    finally:
        settings.update(kept)
        connection.close()


def an_absent_database():
    """Let the next connections be refused."""
    if connection.vendor == "sqlite":
        return other_settings(NAME="/nowhere/at/all.sqlite3")
    return other_settings(HOST="127.0.0.1", PORT=free_port())


def another_connection():
    return closing(connections.create_connection("default"))


def end_session():
    """End the session of this thread, as a server does that stops."""
    connection.ensure_connection()
    with another_connection() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.connection.info.backend_pid])


def pages():
    yield from ("/admin/", "/admin/search/?s=a", "/admin/password_change/")
    for model in admin.site._registry:
        name = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield from (name, f"{name}add/", f"{name}1/change/", f"{name}1/delete/")


def operations():
    """The method and an address of each operation of the API."""
    for path, methods in Client().get("/api/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            given = [one for one in operation.get("parameters", ()) if one.get("in") == "path"]
            keys = {one["name"]: str(UUID(int=1)) if one["schema"].get("format") == "uuid" else "1" for one in given}
            yield method.upper(), path.format_map(keys)


def test_every_page_and_the_sign_in_say_that_the_database_is_away():
    client = administrator()
    client.raise_request_exception = False
    with an_absent_database():
        connection.close()
        answers = {path: client.get(path) for path in pages()}
        form = {"username": "editor", "password": "x"}
        answers["sign in"] = Client(raise_request_exception=False).post("/admin/login/", form)
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 503} == {}
    assert {answer["Retry-After"] for answer in answers.values()} == {"5"}
    assert all("The database is busy or away" in answer.content.decode() for answer in answers.values())


def test_every_operation_of_the_api_says_that_the_database_is_away():
    client = ApiClient(make_user())
    wanted = [operation for operation in operations() if operation[1] not in OPEN]
    with an_absent_database():
        connection.close()
        answers = {operation: client.send(operation[0], operation[1], {}) for operation in wanted}
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 503} == {}
    for answer in answers.values():
        assert (errors(answer), answer.json()["detail"], answer["Retry-After"]) == ({}, WHY, "5")


@pytest.mark.postgres
def test_a_database_that_stops_under_a_connection_that_is_kept_is_away_too():
    api, pages = ApiClient(make_user()), administrator()
    pages.raise_request_exception = False
    for client, path in ((api, POSTS), (pages, "/admin/news/post/")):
        assert client.get(path).status_code == 200
        end_session()
        with an_absent_database():
            assert client.get(path).status_code == 503
            assert client.get("/health/live/").status_code == 200
        assert client.get(path).status_code == 200


# --- what takes too long ---------------------------------------------------------------------------------------------
@contextmanager
def a_locked_table():
    with another_connection() as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE news_post")
        yield


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("limit", "detail", "title"),
    [("statement_timeout", TOO_LONG, "This took too long"), ("lock_timeout", WHY, "The database is busy or away")],
)
def test_what_takes_too_long_is_stopped_and_says_what_to_do(limit, detail, title):
    api, pages = ApiClient(make_user()), administrator()
    pages.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute(f"SET {limit} = 50")  # milliseconds
    with a_locked_table():
        answer, page = api.get(POSTS), pages.get("/admin/news/post/")
    connection.close()
    assert (answer.status_code, answer.json()["detail"], answer["Retry-After"]) == (503, detail, "5")
    assert (page.status_code, title in page.content.decode(), page["Retry-After"]) == (503, True, "5")


def shown(*names):
    with connection.cursor() as cursor:
        return [cursor.execute(f"SHOW {name}") or cursor.fetchone()[0] for name in names]


@pytest.mark.postgres
def test_statements_are_limited_in_the_web_server_and_the_worker_only(settings):
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    assert shown(*limits) == ["0", "0", "2min"]
    with other_settings():
        connection.close()
        limit_statements("web")
        assert shown(*limits) == ["30s", "10s", "2min"]
    with other_settings():
        connection.close()
        with suppress(CommandError):
            call_command("worker", check=True)
        assert shown(*limits) == ["10min", "1min", "2min"]
    settings.DATABASE_LIMITS = {"web": (0, 5)}
    with other_settings():
        connection.close()
        limit_statements("web")
        assert shown(*limits) == ["0", "5s", "2min"]


@pytest.mark.postgres
def test_a_server_that_vanishes_is_noticed():
    connection.ensure_connection()
    given = connection.connection.info.dsn_parameters
    assert (given["connect_timeout"], given["tcp_user_timeout"], given["keepalives_idle"]) == ("5", "60000", "30")


def test_the_web_server_limits_statements(tmp_path):
    script = (
        "from django.db import connection; from backoffice.web import app; app.start(); "
        "print(connection.settings_dict['OPTIONS'])"
    )
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1/x", "BACKOFFICE_VAR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "backoffice.settings"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert "-c statement_timeout=30s -c lock_timeout=10s" in done.stdout
