"""A node whose database can't be written: what it answers, and that it goes on once the database can be written."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, close_old_connections, connection
from django.test import Client

from backoffice.kit import lease
from backoffice.kit.database import is_unavailable
from backoffice.kit.jobs.models import Job
from syncer.engine.worker.loop import Loop
from syncer.models import Target, Worker
from tests.backoffice.test_api_keys import client_with, make_key
from tests.backoffice.writing import somebody_writes
from tests.content.api_client import ApiClient, errors, make_user
from tests.content.pages import form_of
from tests.flows.wait import until
from tests.read_only import a_read_only_database

pytestmark = [pytest.mark.law, pytest.mark.django_db(transaction=True)]

POSTS = "/api/news/posts/"
POST = {"title": "T", "body": "B"}
WHY = "The database can't be written just now. Nothing was saved; try again in a moment."


@pytest.fixture(autouse=True)
def _a_session_that_writes_for_whoever_is_next():
    yield
    if connection.vendor == "postgresql":
        connection.close()


# --- what it answers --------------------------------------------------------------------------------------------------
def test_a_node_is_not_ready_until_its_database_can_be_written(client):
    with a_read_only_database():
        answer = client.get("/health/ready/")
        assert answer.status_code == 503
        assert answer.json() == {"status": "unavailable", "reason": "The database can't be written."}
    close_old_connections()  # as after each request; the tests' client leaves it out
    assert client.get("/health/ready/").json() == {"status": "ok"}


@pytest.mark.sqlite
def test_a_node_is_ready_while_somebody_writes(client, settings):
    with somebody_writes():
        assert client.get("/health/ready/").json() == {"status": "ok"}
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (20_000,), "others wait for the writer, as before"


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}], ids=["alone", "with a key"])
def test_a_save_through_the_api_is_answered_with_503(headers):
    api = ApiClient(make_user())
    with a_read_only_database():
        answer = api.send("POST", POSTS, POST, headers=headers)
        assert answer.status_code == 503
        assert errors(answer) == {}
        assert (answer.json()["detail"], answer["Retry-After"]) == (WHY, "5")
        assert api.get(POSTS).status_code == 200
    close_old_connections()
    assert api.send("POST", POSTS, POST, headers=headers).status_code == 201


def test_an_api_key_still_reads():
    _, whole = make_key(make_user())
    with a_read_only_database():
        assert client_with(whole).get(POSTS).status_code == 200


def test_a_command_says_so():
    target = Target.objects.create(name="demo", url="https://demo.example")
    with a_read_only_database(), pytest.raises(CommandError, match=r"The database can't be used now: .*read.?only"):
        call_command("sync_now", target.name)


def test_a_save_on_a_page_is_answered_with_503(admin_user):
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    with a_read_only_database():
        page = client.get("/admin/news/post/add/")
        answer = client.post("/admin/news/post/add/", {**form_of(page, "post_form"), **POST})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database can&#x27;t be written just now." in answer.content.decode()


def test_another_error_of_a_page_is_answered_with_500(admin_user):
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE news_post RENAME COLUMN title TO away")
    try:
        answer = client.get("/admin/news/post/")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE news_post RENAME COLUMN away TO title")
    assert answer.status_code == 500


# --- which errors say so ----------------------------------------------------------------------------------------------
FAILS = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{}'; END $$"
READ_ONLY = {
    "postgresql": ["SET default_transaction_read_only = on", "DELETE FROM sign_in_failures"],
    "sqlite": ["PRAGMA query_only = ON", "DELETE FROM sign_in_failures"],
}


def error_of(*statements):
    """The error of the last of some statements, in a session of its own."""
    connection.close()
    try:
        with connection.cursor() as cursor:
            for statement in statements[:-1]:
                cursor.execute(statement)
            with pytest.raises(Error) as caught:
                cursor.execute(statements[-1])
    finally:
        connection.close()
    return caught.value


def test_a_read_only_database_can_not_be_used_now():
    assert is_unavailable(error_of(*READ_ONLY[connection.vendor]))


@pytest.mark.sqlite
def test_a_full_disk_can_not_be_used_now():
    fill = "INSERT INTO sign_in_failures VALUES (hex(zeroblob(100000)), 1, '2026-01-01')"
    error = error_of("VACUUM", "PRAGMA max_page_count = 1", fill)  # a page that is free would still take it
    assert str(error) == "database or disk is full"
    assert is_unavailable(error)


@pytest.mark.postgres
@pytest.mark.parametrize("code", ["25P03", "53100", "53300", "57P01", "57P03", "58030"])
def test_a_server_that_says_so_can_not_be_used_now(code):
    assert is_unavailable(error_of(FAILS.format(code)))


@pytest.mark.postgres
def test_a_session_that_was_ended_can_not_be_used_now():
    assert is_unavailable(error_of("SELECT pg_terminate_backend(pg_backend_pid())"))


@pytest.mark.parametrize("values", ["(NULL, NULL, NULL)", "('k', NULL, NULL)"])
def test_an_error_of_the_data_is_not_one_of_the_database(values):
    assert not is_unavailable(error_of(f"INSERT INTO sign_in_failures VALUES {values}"))


@pytest.mark.postgres
@pytest.mark.parametrize("statement", ["SELECT 1/0", "SELECT nothing", FAILS.format("25P02"), FAILS.format("XX000")])
def test_an_error_of_the_program_is_not_one_of_the_database(statement):
    assert not is_unavailable(error_of(statement))


# --- what goes on -----------------------------------------------------------------------------------------------------
@pytest.mark.postgres
def test_a_loop_goes_on_until_the_database_can_be_written(caplog):
    stop, rounds = threading.Event(), []

    def write():
        Worker.objects.update(restarts=1)
        rounds.append("written")

    loop = Loop(write, every=0, stop=stop)
    with a_read_only_database():
        loop.start()
        until(lambda: "the database can't be used now" in caplog.text)
        assert (rounds, loop.is_healthy) == ([], True)
    until(lambda: rounds)
    stop.set()
    loop.join(60)


@pytest.mark.postgres
def test_a_lease_is_extended_once_the_database_can_be_written(settings, caplog):
    settings.SYNC_LEASE_SECONDS = 0.6
    job = Job.objects.create(title="A", work="a", state=Job.State.RUNNING)
    with lease.kept_alive(Job.objects.filter(pk=job.pk)):
        with a_read_only_database():
            until(lambda: "can't be extended" in caplog.text)
        before = Job.objects.get().lease_until
        until(lambda: Job.objects.get().lease_until > before)
