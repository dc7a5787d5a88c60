"""No migration reads or rewrites a table that it keeps from writers: with a big one they would wait for long.

PostgreSQL itself is asked, in the transaction of each migration: which tables that were there before it are locked
against writers, and were read from end to end or got a new file? It counts both for an empty table, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

# Of before the first release, when the tables had no rows.
ACCEPTED = {
    "django_q.0003_auto_20150708_1326": {"django_q_task"},
    "django_q.0006_auto_20150805_1817": {"django_q_schedule"},
    "django_q.0009_auto_20171009_0915": {"django_q_schedule"},
    "django_q.0018_task_success_index": {"django_q_task"},
    "syncer.0004_flat_backlog": {"syncer_binding"},
}
CURE = "See CONTRIBUTING.md, “Migrations”."
TABLES = """
SELECT c.oid, c.relname, c.relfilenode, coalesce(s.seq_scan, 0), EXISTS (
    SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND relation = c.oid
        AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
FROM pg_class c LEFT JOIN pg_stat_xact_user_tables s ON s.relid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
"""


def tables():
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return {oid: rest for oid, *rest in cursor.fetchall()}


@contextmanager
def watched(found: set[str]) -> Iterator[None]:
    """In a transaction, collect the tables that writers can't write while all of them is read or rewritten."""
    with transaction.atomic():
        before = tables()
        yield
        found.update(
            name
            for oid, (name, file, scans, is_locked) in tables().items()
            if oid in before and is_locked and (file, scans) != tuple(before[oid][1:3])
        )


def watch_each_statement(found: set[str]):
    def execute(execute, sql, params, many, context):
        if "CONCURRENTLY" in sql or context["connection"].in_atomic_block:
            return execute(sql, params, many, context)
        with watched(found):
            return execute(sql, params, many, context)

    return execute


def blocked_by(migration, state) -> set[str]:
    """Apply the migration, also to the state, and return the tables that it keeps from writers for long."""
    found: set[str] = set()
    if migration.atomic:
        with watched(found), connection.schema_editor(atomic=True) as editor:
            migration.apply(state, editor)
    else:
        with connection.execute_wrapper(watch_each_statement(found)), connection.schema_editor(atomic=False) as editor:
            migration.apply(state, editor)
    return found


def test_no_migration_reads_or_rewrites_a_table_that_it_keeps_from_writers(elsewhere):
    with elsewhere():
        executor = MigrationExecutor(connection)
        state = executor.loader.project_state([])
        found = {}
        for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
            if blocked := blocked_by(migration, state):
                found[str(migration)] = blocked
    assert found == ACCEPTED, CURE


def test_a_migration_that_is_not_atomic_has_one_operation_so_that_it_can_be_tried_again():
    loader = MigrationExecutor(connection).loader
    several = {str(one) for one in loader.disk_migrations.values() if not one.atomic and len(one.operations) > 1}
    assert several == set()


def index(name):
    return models.Index(fields=["title"], name=name)


def check(name):
    return models.CheckConstraint(condition=models.Q(user_id__gt=-1), name=name)


BAD: dict[str, list[Operation]] = {
    "an index": [migrations.AddIndex("historicalpost", index("a"))],
    "a validated constraint": [migrations.AddConstraint("historicalpost", check("a"))],
    "a type that rewrites": [migrations.AlterField("historicalpost", "user_id", models.TextField())],
    "a default that rewrites": [
        migrations.AddField("historicalpost", "at", models.FloatField(db_default=models.functions.Random()))
    ],
    "an index by SQL": [migrations.RunSQL("CREATE INDEX a ON news_historicalpost (title)")],
}
GOOD: dict[str, list[Operation]] = {
    "a constraint for new rows": [AddConstraintNotValid("historicalpost", check("a"))],
    "a column": [migrations.AddField("historicalpost", "at", models.IntegerField(null=True))],
    "a constant default": [migrations.AddField("historicalpost", "at", models.IntegerField(db_default=3))],
    "a longer text": [migrations.AlterField("historicalpost", "title", models.CharField(max_length=9999))],
    "a new table with an index": [
        migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True)), ("title", models.TextField())]),
        migrations.AddIndex("new", index("a")),
    ],
}


def planted(*operations, atomic=True, undone=True):
    """What a migration of these operations keeps from writers; it is undone if it is atomic."""
    values = {"operations": operations, "atomic": atomic}
    migration = type("Migration", (migrations.Migration,), values)("planted", "news")
    with transaction.atomic() if atomic else nullcontext():
        found = blocked_by(migration, MigrationExecutor(connection).loader.project_state())
        if atomic:
            transaction.set_rollback(undone)
    return found


@pytest.mark.parametrize("name", BAD)
def test_a_bad_migration_is_seen(name):
    assert planted(*BAD[name]) == {"news_historicalpost"}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_migration_is_not(name):
    assert planted(*GOOD[name]) == set()


def test_an_index_while_others_write_is_not():
    add, remove = AddIndexConcurrently("historicalpost", index("a")), RemoveIndexConcurrently("historicalpost", "a")
    assert planted(add, remove, atomic=False) == set()
    assert planted(migrations.AddIndex("historicalpost", index("a")), remove, atomic=False) == {"news_historicalpost"}


def test_a_constraint_that_another_migration_validates_is_not():
    add = AddConstraintNotValid("historicalpost", check("a"))
    assert planted(add, undone=False) == set()
    validate = ValidateConstraint("historicalpost", "a")
    try:
        assert planted(migrations.SeparateDatabaseAndState(state_operations=[add]), validate) == set()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE news_historicalpost DROP CONSTRAINT a")
