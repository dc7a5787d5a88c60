"""What the database is told of a write, so that its triggers can put it into the history rows."""

import re
from typing import Any

from django.db import connection

from backoffice.kit.context import cause
from content.base.history.tables import recorded_tables

NAME_LENGTH = 256  # characters of `history_user_name`

# As Django writes them; whatever is written otherwise may be a write to content.
DJANGO = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
# Possessive, or a long run of spaces would be tried in every way.
WRITES = re.compile(
    r"(?:[\s(]|--[^\n]*|/\*.*?\*/)*+(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|WITH|COPY|TRUNCATE|CALL|DO|EXECUTE)\b",
    re.IGNORECASE | re.DOTALL,
)


def may_write_content(sql: str) -> bool:
    """Whether a statement may leave history rows; a SELECT of a function that writes is not seen.

    >>> may_write_content('SELECT 1; UPDATE news_post SET title = title')
    True
    """
    if found := DJANGO.match(sql):
        return found[1] in recorded_tables()
    return bool(WRITES.match(sql)) or (";" in sql and any(WRITES.match(one) for one in sql.split(";")))


def change() -> dict[str, str]:
    """What every history row says of the change: the values of `NAMES` that are not empty."""
    now, user = cause(), cause().user()
    known = {"request_id": now.request_id, "reason": now.reason, "origin": now.origin, "origin_user": now.origin_user}
    if user is not None and user.pk is not None:
        known |= {"user": str(user.pk), "user_name": user.get_username()[:NAME_LENGTH]}
    return {name: value for name, value in known.items() if value}


def changes_of_rows() -> dict[str, dict[str, Any]]:
    """What differs for single rows, `{table: {key: {"reason": …}}}`; keys are as the database turns them into text."""
    return {
        model._meta.db_table: {
            str(model._meta.pk.get_db_prep_value(pk, connection)): dict(said) for pk, said in rows.items()
        }
        for model, rows in cause().rows.items()
    }
