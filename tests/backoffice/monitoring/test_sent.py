"""What leaves this node for Sentry and OpenTelemetry, received on loopback: errors and times, and nobody's words."""

import gzip
import json
import logging
import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import sentry_sdk
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import pre_save
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from backoffice.kit import logs, tracing
from backoffice.monitoring import sentry
from content.news.models import Post
from syncer.engine.runs import work_run
from syncer.models import Route, Run
from tests.backoffice.test_settings import PRODUCTION, ROOT
from tests.syncer.conftest import hook, sync, target  # noqa: F401 - fixtures

WORDS = ("Walrus", "walrus", "s3cret")  # planted wherever content and secrets may be
SECRET = "s3cret-of-the-settings"
ACCOUNT = ("walrus.4711", "walrus@example.com", "s3cret-password")
ADDRESS = "/admin/news/post/add/?name=Walrus"
FORM = {"title": "Walrus", "body": "Walrus", "user_id": "1"} | {
    f"comments-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
}


def dsn(url: str) -> str:
    return f"http://key@{urlsplit(url).netloc}/1"


@pytest.fixture
def sentry_events(hook, settings):  # noqa: F811
    """The events that came, once they are asked for."""
    settings.SENTRY_DSN, settings.SECRETS = dsn(hook.url), [SECRET]
    logs.mask.cache_clear()
    sentry.start()

    def came():
        sentry_sdk.flush()
        items = [gzip.decompress(body).decode().splitlines() for _, body in hook.posts]
        return [json.loads(line) for lines in items for line in lines[2::2]]

    yield came
    sentry_sdk.get_client().close()
    sentry_sdk.init()
    logs.mask.cache_clear()


@pytest.fixture
def spans(hook, settings):  # noqa: F811
    """The spans that came, once they are asked for."""
    settings.OTLP_ENDPOINT, settings.OTLP_HEADERS = f"http://{urlsplit(hook.url).netloc}", "authorization=Bearer%20it"
    tracing._tracer.cache_clear()

    def came():
        tracing.current_tracer().span_processor.force_flush()
        found = []
        for _, body in hook.posts:
            message = ExportTraceServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
            found += [span for part in message.resource_spans for scope in part.scope_spans for span in scope.spans]
        return found

    yield came
    tracing.current_tracer().span_processor.shutdown()
    tracing._tracer.cache_clear()


def fail(instance: Post, **_: object) -> None:
    words = f"{instance.title}, {SECRET}"
    raise LookupError(words)


def crash() -> None:
    """A form whose content is in all that an error may quote: variables, texts, arguments, body, query, cookies."""
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_superuser(*ACCOUNT))
    pre_save.connect(fail, sender=Post)
    try:
        assert client.post(ADDRESS, FORM).status_code == 500
    finally:
        pre_save.disconnect(fail, sender=Post)


# --- Sentry ----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_crash_is_an_event_of_types_and_places(sentry_events):
    crash()
    [event] = sentry_events()
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("LookupError", "")
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"
    assert event["logentry"]["message"] == "Internal Server Error: /admin/news/post/add/"
    assert (event["tags"]["node"], event["server_name"], event["release"]) == ("test", "test", "0.1.0")
    assert len(event["tags"]["request_id"]) == 32
    assert [word for word in WORDS if word in json.dumps(event)] == []


def test_a_run_that_fails_is_an_event_with_its_target(target, sentry_events):  # noqa: F811
    run = Run.objects.create(target=target, trigger=Run.Trigger.COMMAND)
    Route.objects.update(fields=["not", "a", "map"])
    work_run(run.pk)
    [event] = sentry_events()
    assert (event["tags"]["run"], event["tags"]["target"]) == (str(run.pk), "fakeapi")
    assert event["exception"]["values"][-1]["type"] == "AttributeError"


def test_a_secret_in_a_message_is_hidden_and_what_is_no_error_stays(sentry_events):
    log = logging.getLogger("content")
    log.warning("No error.")
    log.error("It is %s.", SECRET, extra={"body": "Walrus"})
    [event] = sentry_events()
    assert event["logentry"]["message"] == "It is ***."
    assert "Walrus" not in json.dumps(event)


# --- OpenTelemetry ---------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_request_is_a_span_of_its_route(spans):
    crash()
    [span] = spans()
    assert span.name == "POST /admin/news/post/add/"
    assert {item.key: item.value.int_value for item in span.attributes}["http.response.status_code"] == 500
    assert [word for word in WORDS if word in str(span)] == []


def test_a_run_is_a_span_and_so_is_each_request_of_it(target, remote, spans, hook):  # noqa: F811
    Post.objects.create(title="Walrus", body="Walrus")
    sync(target)
    requests, run = spans()[:-1], spans()[-1]
    assert (run.name, [span.name for span in requests]) == ("sync", ["POST"])
    assert requests[0].parent_span_id == run.span_id
    assert requests[0].end_time_unix_nano > requests[0].start_time_unix_nano
    assert [word for word in WORDS if word in str(requests)] == []
    assert hook.posts[0][0]["authorization"] == "Bearer it"


def test_an_error_in_a_span_is_named_by_its_type(spans):
    with pytest.raises(ValueError, match="Walrus"), tracing.span("work"):
        raise ValueError("Walrus")
    [span] = spans()
    assert [item.value.string_value for item in span.attributes if item.key == "error.type"] == ["ValueError"]
    assert "Walrus" not in str(span)


# --- settings --------------------------------------------------------------------------------------------------------
START = """
import logging, sys
import django
django.setup()
from backoffice.kit.tracing import span
with span("work"):
    logging.getLogger("content").error("Planted.")
print([name for name in ("sentry_sdk", "opentelemetry") if name in sys.modules])
"""


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    given = {**PRODUCTION, "BACKOFFICE_DOTENV": "", "DJANGO_SETTINGS_MODULE": "backoffice.settings", **environment}
    inherited = {name: os.environ[name] for name in ("PATH", "BACKOFFICE_VAR") if name in os.environ}
    words = [sys.executable, "-c", START]
    return subprocess.run(words, env=inherited | given, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_settings_alone_decide_whether_anything_leaves(hook):  # noqa: F811
    done = started()
    assert (done.stdout.strip(), hook.posts) == ("[]", [])
    endpoint = f"http://{urlsplit(hook.url).netloc}"
    done = started(SENTRY_DSN=dsn(hook.url), OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert done.stdout.strip() == "['sentry_sdk', 'opentelemetry']", done.stderr
    assert {headers["content-type"] for headers, _ in hook.posts} == {
        "application/x-sentry-envelope",
        "application/x-protobuf",
    }


@pytest.mark.parametrize(
    ("module", "start", "name"),
    [
        ("sentry_sdk", sentry.start, "SENTRY_DSN is set, and sentry-sdk is not installed"),
        ("opentelemetry", tracing.require, "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed"),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_cure(settings, monkeypatch, module, start, name):
    settings.SENTRY_DSN = "https://key@sentry.example/1"
    for loaded in [key for key in sys.modules if key.partition(".")[0] == module]:
        monkeypatch.setitem(sys.modules, loaded, None)
    with pytest.raises(ImproperlyConfigured, match=rf"{name}. Install requirements/observability.txt"):
        start()


def test_a_dsn_that_is_none_is_refused_without_being_quoted(settings):
    settings.SENTRY_DSN = "s3cret"
    with pytest.raises(ImproperlyConfigured, match="SENTRY_DSN is not one") as refused:
        sentry.start()
    assert "s3cret" not in str(refused.value)
