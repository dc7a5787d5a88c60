"""How far a route has read the history, and what changed since.

Ids from a sequence become visible in commit order, not in id order: a reader that remembers the highest id it saw
loses the change of a slower transaction. So on PostgreSQL a mark is a *snapshot*: the transactions that were visible.
SQLite has one writer at a time; there the last id serves.

A mark is taken before the rows are read. What commits between the two is read now and again next time, and equal
content sends nothing; the other order would lose it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from django.db import connection, models

from syncer.errors import ForeignMark
from syncer.keys import column, table


@dataclass(frozen=True)
class Mark:
    """A position in the history of one database.

    Attributes:
        database: which one; a snapshot of another means nothing here.
        position: PostgreSQL: `xmin:xmax:xip,…` (its `pg_snapshot`); SQLite: the last `history_id`.
    """

    database: str
    position: str

    def __str__(self) -> str:
        return f"{self.database}/{self.position}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str()`."""
        return cls(*text.split("/", 1))


@dataclass(frozen=True)
class Condition:
    """A piece of SQL over the history table `h`, and its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


def history_of(model: type[models.Model]) -> type[models.Model]:
    """The model of `model`'s history rows."""
    manager = getattr(model, model._meta.simple_history_manager_attribute)  # type: ignore[attr-defined]
    found: type[models.Model] = manager.model
    return found


def take(model: type[models.Model]) -> Mark:
    """The mark of this moment: all that is visible now lies behind it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_current_snapshot()::text")
        else:
            cursor.execute(f"SELECT coalesce(max(history_id), 0) FROM {table(history_of(model))}")
        return Mark(database_id(), str(cursor.fetchone()[0]))


def since(text: str) -> Condition:
    """Which history rows came after the mark.

    Raises:
        ForeignMark: it was made in another database.
    """
    mark = Mark.parse(text)
    if mark.database != database_id():
        raise ForeignMark(
            "The mark was made in another database (a restore or a copy?), so what changed since can't be told. "
            "Press “Compare all anew” on the route: every object is compared with the target."
        )
    if connection.vendor != "postgresql":
        return Condition("h.history_id > %s", (int(mark.position),))
    _, xmax, running = mark.position.split(":")
    return Condition("(h.txid >= %s OR h.txid = ANY(%s))", (int(xmax), [int(xid) for xid in running.split(",") if xid]))


def changed_pks(model: type[models.Model], text: str) -> Condition:
    """A query of one column `pk`: the objects that the history names after the mark.

    An empty mark means that nothing was read yet: then it is every object there is.
    """
    pk = column(model)
    if not text:
        return Condition(f"SELECT t.{pk} AS pk FROM {table(model)} t")
    condition = since(text)
    rows = table(history_of(model))
    return Condition(f"SELECT DISTINCT h.{pk} AS pk FROM {rows} h WHERE {condition.sql}", condition.params)


@cache
def database_id() -> str:
    """Names this database: PostgreSQL's cluster and the database in it; every SQLite file is `sqlite`."""
    if connection.vendor != "postgresql":
        return "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "FROM pg_control_system()"
        )
        cluster, database = cursor.fetchone()
    return f"postgresql-{cluster}-{database}"
