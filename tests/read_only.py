"""A database that can be read and not written."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def a_read_only_database() -> Iterator[None]:
    """New sessions can't write, nor can the test's own; on PostgreSQL each stays as it began, and so at the end."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.execute("PRAGMA query_only = ON")
        try:
            yield
        finally:
            connection.connection.execute("PRAGMA query_only = OFF")
        return
    setting = f"{connection.ops.quote_name(connection.settings_dict['NAME'])} {{}} default_transaction_read_only"
    with connection._nodb_cursor() as outside:
        outside.execute(f"ALTER DATABASE {setting.format('SET')} = on")
        connection.close()
        try:
            yield
        finally:
            outside.execute(f"ALTER DATABASE {setting.format('RESET')}")
