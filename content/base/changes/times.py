"""Where in a history a time lies, found without an index of times, which every write would pay for."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, Model

from backoffice.kit.history import history_of

# Ids are given in the order of time, but for transactions that run at the same time, and for a clock that is put back.
SLACK = timedelta(minutes=10)
# Halves the range of ids until one is left: forty look-ups of the primary key for a million rows, in one statement.
# SQLite allows the recursive table in no subquery, so the question whether the middle is older stands there twice.
OLDER = """coalesce((
    SELECT history_date < %s FROM {table} WHERE history_id >= (low + high) / 2 ORDER BY history_id LIMIT 1
), 1 = 0)"""
SEARCH = f"""
    WITH RECURSIVE search(low, high) AS (
        SELECT CAST(0 AS bigint), coalesce((SELECT max(history_id) FROM {{table}}), 0) + 1
        UNION ALL
        SELECT CASE WHEN {OLDER} THEN (low + high) / 2 + 1 ELSE low END,
               CASE WHEN {OLDER} THEN high ELSE (low + high) / 2 END
        FROM search WHERE low < high
    )
    SELECT max(low) FROM search
"""  # noqa: S608 - the name of the table comes from the model; the time is a parameter


def first_id(model: type[Model], moment: datetime) -> int:
    """Return a history id of the model before which every change is older than `moment`."""
    table = connection.ops.quote_name(history_of(model)._meta.db_table)
    time = DateTimeField().get_db_prep_value(moment - SLACK, connection)
    with connection.cursor() as cursor:
        cursor.execute(SEARCH.format(table=table), [time, time])
        return int(cursor.fetchone()[0])


def last_id(model: type[Model]) -> int:
    """Return the newest history id of the model; 0 if it has no history."""
    newest = history_of(model)._default_manager.order_by("-history_id").values_list("history_id", flat=True)
    return newest.first() or 0
