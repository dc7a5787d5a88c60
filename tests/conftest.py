from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase

from content.base.history.sqlite import CAUSE
from tests.remote import Remote

# What migrations write, and no test that commits may change.
KEPT = {
    "django_content_type", "django_migrations", "auth_permission", "auth_group", "auth_group_permissions",
    "accounts_role",
}  # fmt: skip
# PostgreSQL. TRUNCATE costs some file operations a table, DELETE costs a look at every row that is or was there since
# the last vacuum. Triggers and foreign keys are off meanwhile.
EMPTY_ALL = """
DO $$ DECLARE name text; BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        IF pg_relation_size(name::regclass) > 200000 THEN EXECUTE format('TRUNCATE %I CASCADE', name);
        ELSIF pg_relation_size(name::regclass) > 0 THEN EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


@pytest.fixture
def remote() -> Iterator[Remote]:
    """A Fake API of the test's own, on loopback."""
    with Remote() as remote:
        yield remote


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file instead of memory, so that another process, a worker, can share it."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(settings.VAR_DIR / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, django_db_keepdb: bool) -> Iterator[None]:
    """As pytest-django's, and after a test that commits only the tables that have rows are emptied.

    Django's flush empties all of them, then has every app look for the content types and permissions of its models:
    hundreds of statements a test.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        quick = connection.vendor == "sqlite" or _is_superuser(cursor)
        if django_db_keepdb:
            empty_tables()  # the run before this one may have been ended in the middle
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _after_a_test if quick else _flush)
        yield


def _is_superuser(cursor: Any) -> bool:
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(cursor.fetchone()[0])


_kept: list[bool] = []


def _after_a_test(_: TransactionTestCase) -> None:
    if not _kept:
        empty_tables()


_flush_all = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def _flush(test: TransactionTestCase) -> None:
    """Flush as Django does; the audit trail is not truncated without this."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_keep_all")
        _flush_all(test)
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_keep_all")


@contextmanager
def kept_rows() -> Iterator[None]:
    """Leave the rows where tests that commit leave them, and empty the tables at the end."""
    _kept.append(True)
    yield
    _kept.pop()
    empty_tables()


@cache
def _tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)


def empty_tables() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        names = _tables()
        if connection.vendor == "postgresql":
            cursor.execute(EMPTY_ALL.format(names=", ".join(f"'{name}'" for name in names)))
            return
        cursor.execute("INSERT INTO audit_retention (before) VALUES ('9999-12-31')")  # the trail is not emptied without
        cursor.execute(f"DELETE FROM {CAUSE}")
        history = [name for name in names if "_historical" in name]
        for some in (sorted(set(names) - set(history)), history):  # history last: it is written when content goes
            cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in some))
            for (name,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {name}")
