"""`/metrics/`: who may read it, and what it says."""

from datetime import timedelta

import pytest
from django.conf import settings as project
from django.db import OperationalError
from django.test import Client
from django_q.models import OrmQ

from backoffice.kit import clock
from backoffice.kit.jobs.models import Job
from backoffice.monitoring import database
from content.news.models import Post
from syncer.models import Binding, Run, Target, Worker
from tests.content.api_client import ApiClient, make_user
from tests.syncer.conftest import sync, target  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-tests-0123456789"


@pytest.fixture(autouse=True)
def monitored(settings, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(database, "_until", -1.0)


def scrape(token=TOKEN, **options):
    return Client().get("/metrics/", headers={"Authorization": f"Bearer {token}"}, **options)


def figures() -> dict[str, float]:
    """The samples by name and labels, as they are written."""
    lines = scrape().content.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


# --- who may read it -------------------------------------------------------------------------------------------------
def test_without_a_token_there_is_no_such_page(settings):
    settings.METRICS_TOKEN = ""
    assert scrape("").status_code == scrape().status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ä"])
def test_only_the_token_opens_it(given):
    answer = Client().get("/metrics/", headers={"Authorization": given})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "backoffice_" not in answer.content.decode()


def test_no_account_opens_it():
    assert ApiClient(make_user(is_superuser=True)).get("/metrics/").status_code == 401


def test_a_scrape_may_name_the_address_of_a_container_and_needs_no_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = scrape(HTTP_HOST="10.1.2.3:8000")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")


# --- requests --------------------------------------------------------------------------------------------------------
def test_requests_are_counted_by_route_method_and_class_of_status():
    post = Post.objects.create(title="A", body="B")
    client = ApiClient(make_user())
    for pk in (post.pk, post.pk, 9_999_999):
        client.get(f"/api/news/posts/{pk}/")
    client.generic("WALRUS", "/nobody/walrus/")
    client.get("/health/live/")
    name, found = "backoffice_http_request_duration_seconds_count", figures()
    of_api = f'{name}{{method="GET",route="/api/news/posts/<int:id>/",status='
    assert {key[len(of_api) :]: value for key, value in found.items() if key.startswith(of_api)} == {
        '"2xx"}': 2,
        '"4xx"}': 1,
    }
    assert found[f'{name}{{method="other",route="other",status="4xx"}}'] == 1
    assert not [key for key in found if "walrus" in key.lower() or "health/" in key or "9999999" in key]


# --- what the database holds -----------------------------------------------------------------------------------------
def test_the_program_names_itself():
    [build] = [key for key in figures() if key.startswith("backoffice_build_info")]
    assert f'node="{project.NODE}"' in build
    assert f'release="{project.RELEASE}"' in build


def test_a_target_is_described(target):  # noqa: F811
    sync(target)
    Post.objects.bulk_create(Post(title=f"P{n}", body="B", user_id=n) for n in range(4))
    before = figures()
    assert before['backoffice_target_objects{state="pending",target="fakeapi"}'] == 4
    assert before['backoffice_target_oldest_unsent_seconds{target="fakeapi"}'] > 0
    sync(target)
    Binding.objects.filter(object_key=str(Post.objects.latest("pk").pk)).update(on_hold=True)
    Target.objects.update(blocked="its credential is wrong")
    database._until = -1.0
    after = figures()
    assert after['backoffice_target_objects{state="pending",target="fakeapi"}'] == 0
    assert after['backoffice_target_objects{state="on_hold",target="fakeapi"}'] == 1
    assert after['backoffice_target_oldest_unsent_seconds{target="fakeapi"}'] == 0
    states = {key: value for key, value in after.items() if key.startswith("backoffice_target_health") and value}
    assert states == {'backoffice_target_health{state="blocked",target="fakeapi"}': 1}
    done = after['backoffice_deliveries_per_second{action="create",outcome="done",target="fakeapi"}']
    assert round(done * 300) == 4
    assert 0 <= after['backoffice_target_answer_seconds{quantile="0.95",target="fakeapi"}'] < 60


def test_the_queue_the_jobs_and_the_workers_are_described(target):  # noqa: F811
    now = clock.now()
    for key in ("backoffice", "heartbeat:1"):
        OrmQ.objects.create(key=key, payload="x", lock=now)
    Job.objects.create(title="Import of walrus.csv", work="x", created_at=now - timedelta(minutes=5))
    Run.objects.create(target=target, trigger=Run.Trigger.CHANGE)
    for seconds in (1, 500):
        Worker.objects.create(host=f"w{seconds}", pid=1, started_at=now, heartbeat_at=now - timedelta(seconds=seconds))
    found = figures()
    assert found["backoffice_queue_tasks"] == 1
    assert found['backoffice_jobs{state="queued"}'] == 1
    assert found["backoffice_jobs_oldest_waiting_seconds"] >= 300
    assert (found['backoffice_runs{state="queued"}'], found['backoffice_runs{state="running"}']) == (1, 0)
    assert found["backoffice_workers"] == 1
    assert found['backoffice_worker_heartbeat_age_seconds{host="w500"}'] >= 500
    assert "walrus" not in scrape().content.decode()


def test_figures_are_read_once_for_all_who_ask_within_seconds(django_assert_num_queries):
    scrape()
    with django_assert_num_queries(0):
        scrape()


def test_without_the_database_the_rest_is_answered(monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr(database, "figures", away)
    found = figures()
    assert found["backoffice_database_up"] == 0
    assert not [key for key in found if key.startswith("backoffice_target")]
    assert [key for key in found if key.startswith("backoffice_build_info")]
