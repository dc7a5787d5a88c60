"""The cause of a write (user, reason, request, origin), as the triggers put it into the history rows."""

import re

from django.db import connection

from backoffice.kit.context import cause
from backoffice.kit.statements import PREPARED_READ
from content.base.history.tables import recorded_tables

NAME_LENGTH = 256  # characters of `history_user_name`

# Writes as Django spells them. A statement of any other form may write content.
DJANGO = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
# Writes of a temporary table, such as the rows of an import: they write no content, and must wait for no writer.
TEMPORARY = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (?:pg_)?temp\.")
# Each blank or comment is matched in one way only, so that no number of them makes the search long.
WRITES = re.compile(
    r"(?:[\s(]|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|WITH|COPY|TRUNCATE|CALL|DO|EXECUTE)\b",
    re.IGNORECASE,
)
READ = f"EXECUTE {PREPARED_READ}"


def may_write_content(sql: str) -> bool:
    """Return whether a statement may write history rows. A SELECT of a function that writes is not recognized.

    >>> may_write_content('SELECT 1; UPDATE news_post SET title = title')
    True
    """
    if write := DJANGO.match(sql):
        return write[1] in recorded_tables()
    if sql.startswith(READ) or (TEMPORARY.match(sql) and ";" not in sql):
        return False
    return bool(WRITES.match(sql)) or (";" in sql and any(WRITES.match(part) for part in sql.split(";")))


def change() -> dict[str, str]:
    """Return the cause that all history rows of a statement share, without what is empty.

    It has `user` (a key), `user_name`, `reason`, `request_id`, `origin` and `origin_user`.
    """
    now, user = cause(), cause().user()
    values = {"request_id": now.request_id, "reason": now.reason, "origin": now.origin, "origin_user": now.origin_user}
    if user is not None and user.pk is not None:
        values |= {"user": str(user.pk), "user_name": user.get_username()[:NAME_LENGTH]}
    return {name: value for name, value in values.items() if value}


def changes_of_rows() -> dict[str, dict[str, dict[str, str]]]:
    """Return the causes of single rows, `{table: {key: {"reason": …}}}`, keys as the database converts them to text."""
    return {
        model._meta.db_table: {
            str(model._meta.pk.get_db_prep_value(pk, connection)): dict(values) for pk, values in rows.items()
        }
        for model, rows in cause().rows.items()
    }
