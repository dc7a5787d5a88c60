"""The log as JSON: each event one object, with what it is about and without names, content and secrets."""

import io
import json
import logging
import sqlite3
from contextlib import closing

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError, IntegrityError, connection
from django.db.models.signals import pre_save
from django.test import Client

from backoffice.kit import logs
from backoffice.kit.logs import about, described, message_and_trace
from content.news.models import Post
from syncer.engine.runs import work_run
from syncer.models import Run
from tests.backoffice.test_settings import PRODUCTION, refusal, settings_with
from tests.syncer.conftest import target  # noqa: F401 - a fixture

POSTS = "/api/news/posts/"
WALRUS = "Walrus 4711"  # planted wherever content may be


@pytest.fixture
def events(settings):
    """What the handler that the settings made writes, as JSON."""
    handler = next(one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler)
    written, formatter = io.StringIO(), handler.formatter
    before = handler.setStream(written)
    handler.setFormatter(logs.JsonFormatter())
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    handler.setFormatter(formatter)
    handler.setStream(before)


def record_of(error: BaseException, message: str = "It failed.") -> logging.LogRecord:
    return logging.LogRecord("n", logging.ERROR, "p", 1, message, None, (type(error), error, error.__traceback__))


# --- what an event has -----------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_event_of_a_request_names_it_and_what_came_of_it(events):
    answer = Client().get("/api/nothing/")
    access, refused = events()
    assert access["message"].startswith("GET /api/nothing/ 404 ")
    assert (access["level"], access["logger"], access["node"]) == ("INFO", "access", "test")
    assert access["request_id"] == refused["request_id"] == answer["X-Request-ID"]
    assert (access["method"], access["path"], access["status"], access["address"]) == (
        "GET",
        "/api/nothing/",
        404,
        "127.0.0.1",
    )
    assert "user_id" not in access  # nobody signed in
    assert access["time"].endswith("+00:00")


def test_an_event_is_about_what_its_context_names_and_nothing_else(events):
    with about(run=7, target="shop", job=""):
        logging.getLogger("content").warning("Inside", extra={"body": WALRUS})
    logging.getLogger("content").warning("Outside")
    inside, outside = events()
    assert {**inside, "time": 0} == {
        "time": 0,
        "level": "WARNING",
        "logger": "content",
        "message": "Inside",
        "node": "test",
        "run": 7,
        "target": "shop",
    }
    assert {"run", "target", "request_id"}.isdisjoint(outside)


def test_a_run_that_fails_is_named_with_its_target(target, events):  # noqa: F811
    run = Run.objects.create(target=target, trigger=Run.Trigger.COMMAND)
    target.routes.update(fields=["not", "a", "map"])
    work_run(run.pk)
    [event] = [event for event in events() if event["level"] == "ERROR"]
    assert (event["message"], event["run"], event["target"]) == (f"run {run.pk} failed", run.pk, "fakeapi")
    assert "AttributeError: " in event["trace"]


def test_line_breaks_forge_no_event(events):
    logging.getLogger("content").warning('A\n{"level": "ERROR"}\u2028')
    assert len(events()) == 1


# --- what none has ---------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_crash_is_one_event_whose_trace_quotes_nothing(events):
    def fail(**_: object) -> None:
        try:
            int(WALRUS)
        except ValueError as error:
            raise RuntimeError(f"{WALRUS} is not a number") from error

    client = Client(raise_request_exception=False)
    client.force_login(
        get_user_model().objects.create_superuser("walrus.4711", "walrus@example.com", "s3cret-password")
    )
    pre_save.connect(fail, sender=Post, weak=False)
    try:
        form = {"title": WALRUS, "body": WALRUS, "user_id": "1"} | {
            f"comments-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
        }
        assert client.post(f"/admin/news/post/add/?name={WALRUS}", form).status_code == 500
    finally:
        pre_save.disconnect(fail, sender=Post)
    [crash] = [event for event in events() if event["level"] == "ERROR"]
    first, second = crash["trace"].split("\n\n")
    assert first.endswith("\nValueError")
    assert second.endswith("\nRuntimeError")
    assert "in fail" in second
    assert not [name for name in (WALRUS, "walrus", "s3cret") if name in json.dumps(events())]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "error", "names"),
    [
        ("INSERT INTO news_post (title) VALUES (%s)", IntegrityError, "news_post"),
        ("SELECT CAST(%s AS integer)", DataError, "22P02"),
    ],
)
def test_an_error_of_the_database_is_known_by_its_code_and_names(statement, error, names):
    if connection.vendor == "sqlite" and error is DataError:
        names, text = "SQLITE_MISMATCH", described(_sqlite_mismatch())
    else:
        with pytest.raises(error) as raised, connection.cursor() as cursor:
            cursor.execute(statement, [WALRUS])
        text = message_and_trace(record_of(raised.value))[1]
    assert names in text
    assert WALRUS not in text


def _sqlite_mismatch() -> sqlite3.Error:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        with pytest.raises(sqlite3.Error) as raised:
            database.execute("INSERT INTO t VALUES (?)", [WALRUS])
    return raised.value


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError(WALRUS), "KeyError"),
        (FileNotFoundError(2, "No such file or directory", f"/{WALRUS}.csv"), "FileNotFoundError: No such file"),
        (AttributeError("'Post' object has no attribute 'x'"), "AttributeError: 'Post' object has no attribute 'x'"),
    ],
)
def test_the_text_of_an_error_is_written_if_it_names_code(error, text):
    assert described(error).startswith(text)
    assert WALRUS not in described(error)


def test_the_queues_own_words_for_a_failure_are_cut():
    frame = '  File "x.py", line 3, in f'
    text = f"Failed 'a.b' (7) - {WALRUS} : {logs.TRACEBACK}\n{frame}\n    g('{WALRUS}')\nValueError: {WALRUS}"
    record = logging.LogRecord("django-q", logging.ERROR, "p", 1, text, None, None)
    assert message_and_trace(record) == ("Failed 'a.b' (7)", f"{logs.TRACEBACK}\n{frame}")


def test_secrets_of_settings_and_targets_are_hidden_wherever_they_stand(events, settings, monkeypatch):
    settings.SECRETS = ["the-webhook's-secret", "short"]
    monkeypatch.setenv("SYNC_SHOP", "the-shop-secret")
    logs.mask.cache_clear()
    try:
        logging.getLogger("content").warning("%s %s in short", "the-webhook's-secret", "dGhlLXNob3Atc2VjcmV0")
    finally:
        [event] = events()
        logs.mask.cache_clear()
    assert event["message"] == "*** *** in short"


# --- settings --------------------------------------------------------------------------------------------------------
def test_production_writes_json_and_development_text(tmp_path):
    def format_of(**environment: str) -> str:
        return str(settings_with(tmp_path, PRODUCTION | environment).LOGGING["handlers"]["console"]["formatter"])

    assert (format_of(), format_of(BACKOFFICE_ENV="development"), format_of(LOG_FORMAT="text")) == (
        "json",
        "text",
        "text",
    )
    assert "may be 'json' or 'text'" in refusal(tmp_path, PRODUCTION | {"LOG_FORMAT": "xml"})


def test_every_secret_of_the_settings_is_known(tmp_path):
    given = {
        "DATABASE_URL": "postgres://u:secret-1-database@h/n",
        "EMAIL_URL": "smtp+tls://u:secret-2-mail@h:587",
        "METRICS_TOKEN": "secret-3-metrics-0123456789",
        "SENTRY_DSN": "https://secret-4-dsn@h/1",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret-5-otlp",
        "SUMMARIZER_KEY": "secret-6-summarizer",
        "TASKS_EXTERNAL_AUTHORIZATION": "Bearer secret-7-tasks",
        "OIDC_CLIENT_SECRET": "secret-8-oidc",
        "SECRET_KEY_FALLBACKS": f"older-secret-9-{'k' * 40}",
        "DATABASE_REPLICA_URL": "postgres://u:secret-0-replica@h/n",
    }
    hidden = " ".join(settings_with(tmp_path, PRODUCTION | given).SECRETS)
    assert [name for name in given if given[name].partition("secret-")[2][:6] not in hidden] == []
    assert PRODUCTION["SECRET_KEY"] in hidden
    assert "METRICS_TOKEN is shorter than 20 characters" in refusal(tmp_path, PRODUCTION | {"METRICS_TOKEN": "short"})
