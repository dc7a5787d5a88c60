"""`migrate` beside transactions that hold what it needs."""

from contextlib import closing
from types import SimpleNamespace

import pytest
from django.db import connection, connections

from backoffice.kit.database import limit_statements
from backoffice.operations.backup import restore, take
from backoffice.operations.management.commands import migrate
from tests.backoffice.test_away import other_settings

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
COLUMN = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'allow_private'"


@pytest.fixture
def reader(tmp_path, elsewhere, settings):
    """A connection whose transaction has read a table that a migration is to change."""
    settings.DATABASE_LIMITS = {"migrate": (20, 1)}  # seconds; the first ends a test in which something waits
    path = take(tmp_path)
    with elsewhere():
        restore(path, node="test", replace=False)
        run("syncer", "0002_room_on_pages")
        with closing(connections.create_connection("default")) as reader:
            reader.set_autocommit(False)
            reader.cursor().execute("SELECT count(*) FROM syncer_target")
            yield reader


def run(*words):
    connection.close()
    migrate.Command().run_from_argv(["manage.py", "migrate", *words, "--verbosity=0"])


def is_migrated():
    with connection.cursor() as cursor:
        cursor.execute(COLUMN)
        return cursor.fetchone() == (0,)


def test_others_go_first_while_a_migration_waits_and_it_is_tried_again(reader, monkeypatch, capsys):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        with closing(connections.create_connection("default")) as writer:
            writer.cursor().execute("SET lock_timeout = '1s'; UPDATE syncer_target SET title = 'x'")
        if len(waits) == 2:
            reader.rollback()

    monkeypatch.setattr(migrate, "time", SimpleNamespace(sleep=wait))
    run("syncer")
    assert (is_migrated(), len(waits)) == (True, 2)
    assert "canceling statement due to lock timeout. Others go first; trying again in" in capsys.readouterr().err


def test_a_migration_that_never_gets_its_lock_says_what_to_do(reader, monkeypatch, capsys):
    monkeypatch.setattr(migrate, "TRIES", 2)
    monkeypatch.setattr(migrate, "time", SimpleNamespace(sleep=lambda _: None))
    with pytest.raises(SystemExit):
        run("syncer")
    assert "end the long transactions (pg_stat_activity)" in capsys.readouterr().err
    reader.rollback()
    assert not is_migrated()


def test_a_statement_that_nobody_queues_behind_waits_as_long_as_it_must(settings):
    """Such as CREATE INDEX CONCURRENTLY, which waits for each older transaction, and leaves a broken index else."""
    settings.DATABASE_LIMITS = {"migrate": (0, 7)}
    with other_settings():
        connection.close()
        limit_statements("migrate")
        connection.ensure_connection()
        with connection.execute_wrapper(migrate.wait_without_limit_where_nobody_queues), connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE seen AS SELECT current_setting('lock_timeout') -- CONCURRENTLY")
            cursor.execute("SELECT *, current_setting('lock_timeout') FROM seen")
            assert cursor.fetchone() == ("0", "7s")
