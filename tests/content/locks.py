"""Two writers of one row, on PostgreSQL."""

from django.db import connection


def blocked_sessions() -> int:
    """How many wait for a lock that another one holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])
