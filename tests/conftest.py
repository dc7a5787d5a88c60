from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from tests.remote import Remote


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


# What migrations write, and no test changes: Django would make it anew after each flush, with some hundred statements.
KEPT = {"django_content_type", "auth_permission"}
# TRUNCATE costs a file operation a table, however empty it is; a DELETE of nothing is free. Triggers and foreign keys
# are off meanwhile, as they are for TRUNCATE of all tables together.
DELETES = """
DO $$ DECLARE name text; BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        IF pg_relation_size(name::regclass) > 1000000 THEN EXECUTE format('TRUNCATE %I CASCADE', name);
        ELSIF pg_relation_size(name::regclass) > 0 THEN EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """As pytest-django's, and less to do between two tests that commit."""
    ops = connection.ops
    flush = ops.sql_flush
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        may_switch = connection.vendor == "postgresql" and _is_superuser(cursor)

    def quick(style: Any, tables: Iterable[str], **options: Any) -> list[str]:
        names = sorted(set(tables) - KEPT)
        if may_switch:
            return [DELETES.format(names=", ".join(f"'{name}'" for name in names))]
        return flush(style, names, **options)

    ops.sql_flush = quick  # type: ignore[method-assign]


def _is_superuser(cursor: Any) -> bool:
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(cursor.fetchone()[0])
