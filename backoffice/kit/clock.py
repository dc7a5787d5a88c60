"""One clock for leases and waits: the database's, so that workers on several hosts agree."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """The time of this moment; on SQLite, which has one host, this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found
