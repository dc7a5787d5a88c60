"""The triggers are there whenever somebody may write, and it is seen when they are not."""

import sqlite3
import subprocess
from contextlib import closing

import psycopg2
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, models
from django.test.utils import CaptureQueriesContext, isolate_apps

from backoffice.accounts.models import User
from content.base.history import checks, triggers
from content.base.history.tables import recorded_models
from content.news.models import Comment, Post
from content.palettes.models import Membership, Team
from tests.content.history.support import environment, execute, kinds, postgresql

pytestmark = [pytest.mark.law, pytest.mark.django_db(transaction=True)]

NAME = "history_update_news_post"
WRONG = {
    "postgresql": {
        "missing": [f"DROP TRIGGER {NAME} ON news_post"],
        "disabled": [f"ALTER TABLE news_post DISABLE TRIGGER {NAME}"],
        "other": [f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"],
    },
    "sqlite": {
        "missing": [f"DROP TRIGGER {NAME}"],
        "disabled": [f"DROP TRIGGER {NAME}"],  # SQLite has no other way
        "other": [f"DROP TRIGGER {NAME}", f"CREATE TRIGGER {NAME} AFTER UPDATE ON news_post BEGIN SELECT 1; END"],
    },
}


@pytest.fixture
def whole():
    """All triggers are there afterwards, whatever the test did."""
    yield
    call_command("migrate", verbosity=0)
    triggers.install(connection)
    assert triggers.faults(connection) == []


@pytest.mark.parametrize("how", ["missing", "disabled", "other"])
def test_a_trigger_that_is_wrong_is_reported_and_made_by_the_next_migrate(whole, client, how):
    execute(*WRONG[connection.vendor][how])
    assert triggers.faults(connection) == [NAME]
    with pytest.raises(SystemCheckError, match=rf"(?s){NAME}.*manage.py migrate"):
        call_command("check", databases=["default"], fail_level="WARNING")
    answer = client.get("/health/ready/")
    assert (answer.status_code, "manage.py migrate" in answer.json()["reason"]) == (503, True)
    call_command("migrate", verbosity=0, skip_checks=False)
    assert client.get("/health/ready/").status_code == 200
    post = Post.objects.create(title="T", body="B")
    Post.objects.filter(pk=post.pk).update(title="new")
    assert kinds() == "+~"


def test_every_model_of_content_has_its_triggers():
    found = triggers.wanted(connection, recorded_models())
    for model in recorded_models():
        assert {f"history_{event}_{model._meta.db_table}" for event in ("insert", "update", "delete")} <= found.keys()


def test_a_migrate_that_has_nothing_to_do_leaves_the_triggers_alone():
    """Other processes are writing meanwhile."""
    with CaptureQueriesContext(connection) as queries:
        call_command("migrate", verbosity=0)
    assert [one["sql"] for one in queries if "TRIGGER" in one["sql"].upper().split("SELECT")[0]] == []


def test_a_database_without_tables_is_not_warned_of(whole):
    call_command("migrate", "news", "zero", verbosity=0)
    assert checks.check_triggers(databases=["default"]) == []


def test_a_trigger_of_a_model_that_is_gone_goes_too(whole):
    execute("CREATE TABLE gone (id integer)")
    if connection.vendor == "postgresql":
        execute(
            "CREATE FUNCTION history_delete_gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE TRIGGER history_delete_gone AFTER DELETE ON gone EXECUTE FUNCTION history_delete_gone()",
        )
    else:
        execute("CREATE TRIGGER history_delete_gone AFTER DELETE ON gone BEGIN SELECT 1; END")
    triggers.install(connection)
    assert "history_delete_gone" not in triggers.installed(connection)
    execute("DROP TABLE gone")


def test_migrations_go_back_and_forth_with_content_and_its_history(whole):
    user = User.objects.create_user("editor")
    post = Post.objects.create(title="T", body="B")
    Team.objects.all().delete()
    before = Team.history.count()
    call_command("migrate", "palettes", "0001", verbosity=0)
    assert triggers.faults(connection) == []
    call_command("migrate", verbosity=0)
    [membership] = Membership.objects.filter(user=user)
    assert Team.history.filter(id=membership.team_id, history_type="+").count() == 1
    assert Membership.history.filter(id=membership.pk, history_type="+").count() == 1
    assert Team.history.count() == before + 1  # the others had theirs
    Post.objects.filter(pk=post.pk).update(title="new")
    assert kinds() == "+~"


def test_tables_that_are_not_as_the_program_has_them_get_no_triggers_and_are_reported(whole):
    Post.objects.create(title="T", body="B")
    call_command("migrate", "news", "zero", verbosity=0)
    assert set(triggers.wanted(connection, [Post, Comment])) == set(triggers.faults(connection))
    call_command("migrate", verbosity=0)
    Post.objects.create(title="T", body="B")
    assert kinds() == "+"


# --- copies and restores ---------------------------------------------------------------------------------------------
@pytest.fixture
def written():
    post = Post.objects.create(title="T", body="B")
    Post.objects.update(title="new")
    Comment.objects.create(post=post, name="N", email="a@example.com", body="B")
    return post


@pytest.fixture
def other_database():
    """The address of an empty database beside the tests' own; gone with the test."""
    name = f"{connection.settings_dict['NAME']}_copy"
    restore(str(connection.settings_dict["NAME"]), f'CREATE DATABASE "{name}"')
    yield name
    restore(str(connection.settings_dict["NAME"]), f'DROP DATABASE "{name}"')


def dump(*options):
    command = [*postgresql("pg_dump"), *options]
    return subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout


def restore(database, script):
    command = [*postgresql("psql", database), "-q", "-v", "ON_ERROR_STOP=1"]
    subprocess.run(command, env=environment(), check=True, input=script, text=True, stdout=subprocess.DEVNULL)


def history_there(database):
    settings = connection.settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
    with closing(psycopg2.connect(dbname=database, password=settings["PASSWORD"], **address)) as there:
        cursor = there.cursor()
        cursor.execute("SELECT string_agg(history_type, '' ORDER BY history_id) FROM news_historicalpost")
        return cursor.fetchone()[0]


@pytest.mark.postgres
def test_a_whole_dump_brings_history_and_triggers(written, other_database):
    restore(other_database, dump())
    assert history_there(other_database) == "+~"
    restore(other_database, "UPDATE news_post SET title = 'there'")
    assert history_there(other_database) == "+~~"


@pytest.mark.postgres
def test_a_dump_of_data_alone_is_restored_without_history_of_its_own(written, other_database):
    restore(other_database, dump("--schema-only"))
    restore(other_database, f"SET session_replication_role = replica; {dump('--data-only')}")
    assert history_there(other_database) == "+~"


@pytest.mark.sqlite
def test_a_copy_by_statements_brings_history_and_triggers(written, tmp_path):
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as here:
        script = "\n".join(here.iterdump())
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as there:
        there.create_function("REGEXP", 2, lambda pattern, text: True)  # which the command line has
        there.executescript(script)
        there.execute("UPDATE news_post SET title = 'there'")
        rows = there.execute("SELECT history_type FROM news_historicalpost ORDER BY history_id").fetchall()
    assert "".join(kind for (kind,) in rows) == "+~~"


# --- models that can't have history ----------------------------------------------------------------------------------
@isolate_apps("content.news")
def test_a_field_that_has_a_name_of_the_history_s_own_is_refused(monkeypatch):
    class Delivery(models.Model):  # noqa: DJ008
        origin = models.CharField(max_length=9)

        class Meta:
            app_label = "news"

    monkeypatch.setattr(checks, "recorded_models", lambda: [Delivery])
    [found] = checks.check_models()
    assert (found.id, "origin" in found.msg) == ("content.E001", True)


@isolate_apps("content.news")
def test_a_model_in_two_tables_is_refused(monkeypatch):
    class Letter(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "news"

    class Registered(Letter):  # noqa: DJ008
        class Meta:
            app_label = "news"

    monkeypatch.setattr(checks, "recorded_models", lambda: [Letter, Registered])
    assert [found.id for found in checks.check_models()] == ["content.E003"]
