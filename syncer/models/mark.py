"""Marks: how far a route has read the history, and which objects changed since.

Ids from a sequence become visible in commit order, not in id order: a reader that remembers the highest id it saw
loses the change of a slower transaction. So on PostgreSQL a mark is a *snapshot*: the transactions that were visible.
SQLite has one writer at a time; there the last id is enough.

A mark is taken before the rows are read. A change that commits between the two is read now and again next time, and
equal content sends nothing; the other order would lose the change.

A mark belongs to one database. After a restore the mark may name another database, or lie in the future: then the
changes since can't be determined, and what the bindings say of the targets is out of date. See
docs/adr/0011-what-a-restore-is.md.

The module has over 300 lines because the conditions of both databases stand side by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.db import connection, models

from backoffice.kit.history import history_of
from backoffice.kit.phrases import phrase
from syncer.core.errors import ForeignMarkError
from syncer.models import restore_detection
from syncer.models.keys import column, table

CURE = phrase(
    "What the targets hold by now is not known here. Nothing is sent until somebody runs: manage.py sync_recover. "
    "If this is a copy whose original goes on, switch its targets off instead"
)
ELSEWHERE = phrase(
    "The history was read in another database than this one (a restore, a copy, a fail-over?). %(cure)s", cure=CURE
)
FUTURE = phrase("More of the history was read than this database has (a restore of a part?). %(cure)s", cure=CURE)
PUT_BACK = phrase("This database was put back to an older state of itself (a restore?). %(cure)s", cure=CURE)

# Identifies a database and distinguishes it from a restored one, by the ids of: the cluster; the database, which is new
# in a copy; the table of the marks, which is new after `pg_restore --clean`; and the timeline, which is new after a
# recovery to an earlier point (https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES).
# It is queried each time, because a connection may lead to another server than the one before.
POSTGRESQL = """
    concat_ws('-', 'postgresql',
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'syncer_route'::regclass::oid,
        left(pg_walfile_name(pg_current_wal_lsn()), 8))
"""


@dataclass(frozen=True)
class Mark:
    """A position in the history of one database."""

    database: str  # the identity of the database; a snapshot of another one means nothing here
    position: str  # on PostgreSQL `xmin:xmax:xip,…` (a `pg_snapshot`), on SQLite the last `history_id`

    def __str__(self) -> str:
        return f"{self.database}/{self.position}"

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(*text.split("/", 1))


Parameter = int | str | list[int]  # of a statement; a list is an array of PostgreSQL


@dataclass(frozen=True)
class Condition:
    """A piece of SQL with its parameters: a condition on the history table `h`, or a query."""

    sql: str
    params: tuple[Parameter, ...] = ()


def take(model: type[models.Model]) -> Mark:
    """Return the mark of this moment: every row that is visible now lies behind it."""
    if connection.vendor != "postgresql":
        # Not the newest row's id: rows may be erased, and their ids are not reused.
        last = restore_detection.given(history_of(model)._meta.db_table)
        return Mark(database(), str(last))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {POSTGRESQL}, pg_current_snapshot()::text")
        return Mark(*cursor.fetchone())


def database() -> str:
    """Return the identity of the database that this connection leads to now."""
    if connection.vendor != "postgresql":
        return f"sqlite-{restore_detection.inode()}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {POSTGRESQL}")
        return str(cursor.fetchone()[0])


def check_database(identity: str) -> None:
    """Check that the connection still leads to the same database: behind a pooler, a fail-over ends no session.

    Raises:
        ForeignMarkError: it is another one than that of this `identity`.
    """
    if database() != identity:
        raise ForeignMarkError(ELSEWHERE)


def after_failover(text: str, identity: str) -> str:
    """Return a mark of the server that died as one of the standby that took over, whose `identity` is given.

    Only its timeline is another, and a later one. What the mark has read is valid there: it was replicated as well.

    Raises:
        ForeignMarkError: it is a mark of something else.
    """
    mark = Mark.parse(text)
    *of_mark, old = mark.database.split("-")
    *of_here, new = identity.split("-")
    if connection.vendor != "postgresql" or of_mark != of_here or old > new:
        raise ForeignMarkError(ELSEWHERE)
    return str(Mark(identity, mark.position))


def since(model: type[models.Model], text: str, *, here: Mark | None = None) -> Condition:
    """Return the condition for the history rows after the mark.

    Args:
        here: the mark of this moment, if it was taken already.

    Raises:
        ForeignMarkError: the mark was taken in another database, or lies in the future of this one.
    """
    mark = Mark.parse(text)
    _refuse_foreign(mark, here or take(model))
    return _behind(mark)


def _behind(mark: Mark) -> Condition:
    """Return the condition for the history rows after a mark of this database."""
    if connection.vendor != "postgresql":
        return Condition("h.history_id > %s", (int(mark.position),))
    _, xmax, running = mark.position.split(":")
    xids = [int(xid) for xid in running.split(",") if xid]
    # The first bound alone lets the database enter the index at the mark, however long the history before it is.
    first = min([int(xmax), *xids])
    return Condition("h.txid >= %s AND h.txid > 0 AND (h.txid >= %s OR h.txid = ANY(%s))", (first, int(xmax), xids))


def check(read: Iterable[tuple[type[models.Model], str]]) -> None:
    """Check before anything is sent that the mark of each route, (model, mark), is of this database; an empty one is.

    On SQLite this also counts the run, see `restore_detection.py`.

    Raises:
        ForeignMarkError: a mark belongs to another database.
    """
    for model, text in read:
        if text:
            since(model, text)
    if connection.vendor != "postgresql":
        restore_detection.count()


def _refuse_foreign(mark: Mark, here: Mark) -> None:
    # Older marks have only the beginning of the identity: `sqlite`, `postgresql-<cluster>-<database>`.
    if mark.database != here.database and not here.database.startswith(f"{mark.database}-"):
        raise ForeignMarkError(ELSEWHERE)
    if _end(mark) > _end(here):
        raise ForeignMarkError(FUTURE)
    if connection.vendor != "postgresql" and restore_detection.is_put_back():
        raise ForeignMarkError(PUT_BACK)


def _end(mark: Mark) -> int:
    """Return the end of what the mark has read: the snapshot's `xmax`, or the last id."""
    return int(mark.position.split(":")[1] if ":" in mark.position else mark.position)


def changed_pks(
    model: type[models.Model],
    text: str,
    *,
    but_from: str = "",
    apart: int | None = None,
    here: Mark | None = None,
) -> Condition:
    """Return a query of one column `pk`: the objects that the history names after the mark.

    An empty mark means that nothing was read yet: the query then returns every object.

    Args:
        but_from: the peer whose edits are left out, because the inbound code itself plans what that peer does not know.
            Deletes are kept, because a cascade may have deleted more than the peer named.
        apart: the route whose bindings say what was read of single objects since, which is left out too. Not for a
            plan: it reads all after the mark.
        here: as in `since`.
    """
    pk = column(model)
    if not text:
        return Condition(f"SELECT t.{pk} AS pk FROM {table(model)} t")
    condition = _left(since(model, text, here=here), model, but_from, apart)
    rows = table(history_of(model))
    return Condition(f"SELECT DISTINCT h.{pk} AS pk FROM {rows} h WHERE {condition.sql}", condition.params)


def first_changes(
    model: type[models.Model], text: str, most: int, *, but_from: str = "", apart: int | None = None
) -> Condition:
    """Return a query of one column `pk`: the objects of the first `most` changes after the mark, with repeats.

    It costs no more than `most` rows, however many changes there are. An empty mark names every object; the rest is as
    in `changed_pks`.
    """
    pk = column(model)
    if not text:
        return Condition(f"SELECT t.{pk} AS pk FROM {table(model)} t LIMIT %s", (most,))
    condition = _left(since(model, text), model, but_from, apart)
    order = "txid" if connection.vendor == "postgresql" else "history_id"  # the order of the index of marks
    return Condition(
        f"SELECT h.{pk} AS pk FROM {table(history_of(model))} h WHERE {condition.sql} ORDER BY h.{order} LIMIT %s",
        (*condition.params, most),
    )


def first_change(
    model: type[models.Model], text: str, *, but_from: str = "", apart: int | None = None
) -> Condition | None:
    """Return a query of `(object_key, at)` of the first change after the mark; None where the mark can't be read here.

    As in `with_news`, whether the mark belongs to this database is not checked.
    """
    if not text or (":" in Mark.parse(text).position) != (connection.vendor == "postgresql"):
        return None
    condition = _left(_behind(Mark.parse(text)), model, but_from, apart)
    order = "txid" if connection.vendor == "postgresql" else "history_id"
    return Condition(
        f"SELECT CAST(h.{column(model)} AS text) AS object_key, h.history_date AS at "
        f"FROM {table(history_of(model))} h WHERE {condition.sql} ORDER BY h.{order} LIMIT 1",
        condition.params,
    )


def changed_among(
    model: type[models.Model], text: str, pks: Iterable[Any], *, but_from: str = "", apart: int | None = None
) -> set[Any]:
    """Return those of the objects `pks` that the history names after the mark; the rest is as in `changed_pks`.

    It reads the history of these objects only, not all that changed.
    """
    condition, key = _left(since(model, text), model, but_from, apart), model._meta.pk
    values = [key.get_db_prep_value(pk, connection) for pk in pks]
    if not values:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT h.{column(model)} FROM {table(history_of(model))} h "
            f"WHERE h.{column(model)} IN ({', '.join(['%s'] * len(values))}) AND {condition.sql}",
            [*values, *condition.params],
        )
        return {key.to_python(row[0]) for row in cursor.fetchall()}


def changes_others(model: type[models.Model], text: str, pks: Iterable[Any], *, but_from: str = "") -> bool:
    """Return whether the history names any object but `pks` after the mark; `but_from` as in `changed_pks`.

    It stops at the first change of another object.
    """
    condition, key = _but_from(since(model, text), but_from), model._meta.pk
    values = [key.get_db_prep_value(pk, connection) for pk in pks]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {table(history_of(model))} h WHERE {condition.sql} "
            f"AND h.{column(model)} NOT IN ({', '.join(['%s'] * len(values))}) LIMIT 1",
            [*condition.params, *values],
        )
        return cursor.fetchone() is not None


def is_changed(
    model: type[models.Model], text: str, key: str, *, but_from: str = "", apart: int | None = None
) -> Condition:
    """Return the condition that the history names the object whose key is in the text column `key` after the mark.

    The rest is as in `changed_pks`.
    """
    condition, pk = _left(since(model, text), model, but_from, apart), model._meta.pk
    return Condition(
        f"EXISTS (SELECT 1 FROM {table(history_of(model))} h "
        f"WHERE h.{column(model)} = CAST({key} AS {pk.cast_db_type(connection)}) AND {condition.sql})",
        condition.params,
    )


def with_news(routes: Iterable[tuple[int, type[models.Model], str, str]]) -> set[int]:
    """Return the numbers of the routes `(number, model, mark, peer or "")` with changes after the mark, by one query.

    Whether a mark belongs to this database is checked by the plan; for a foreign mark the answer means nothing.
    """
    queries: list[str] = []
    params: list[Parameter] = []
    for number, model, text, peer in routes:
        mark = Mark.parse(text)
        if (":" in mark.position) != (connection.vendor == "postgresql"):
            continue
        condition = _but_from(_behind(mark), peer)
        queries.append(
            f"SELECT %s AS pk WHERE EXISTS (SELECT 1 FROM {table(history_of(model))} h WHERE {condition.sql})"
        )
        params += [number, *condition.params]
    if not queries:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(queries), params)
        return {row[0] for row in cursor.fetchall()}


def _but_from(condition: Condition, peer: str) -> Condition:
    if not peer:
        return condition
    ours = f"{condition.sql} AND NOT (h.origin = %s AND h.history_type <> '-')"
    return Condition(ours, (*condition.params, peer))


def _left(condition: Condition, model: type[models.Model], peer: str, apart: int | None) -> Condition:
    """Return the condition without the edits of a peer, and without what was read of single objects of a route."""
    condition = _but_from(condition, peer)
    if apart is None:
        return condition
    is_read = "h.history_id <= CAST(b.read_to AS bigint)"
    if connection.vendor == "postgresql":
        is_read = "pg_visible_in_snapshot(CAST(CAST(h.txid AS text) AS xid8), CAST(b.read_to AS pg_snapshot))"
    # As a value, so that PostgreSQL looks each binding up and never reads all of the route.
    key = f"CAST(h.{column(model)} AS text)"
    read = f"SELECT {is_read} FROM syncer_binding b WHERE b.route_id = %s AND b.object_key = {key}"
    return Condition(f"{condition.sql} AND NOT COALESCE(({read}), false)", (*condition.params, apart))


def keys_of(pks: Condition, *, and_bound: int | None) -> Condition:
    """Return a query of one column `object_key`: the keys of `pks`.

    With the primary key of a route as `and_bound`, those of its bindings are added: their objects may be gone.
    """
    keys = Condition(f"SELECT CAST(pk AS text) AS object_key FROM ({pks.sql}) AS changed", pks.params)
    if and_bound is None:
        return keys
    bound = "SELECT object_key FROM syncer_binding WHERE route_id = %s"
    return Condition(f"{keys.sql} UNION {bound}", (*keys.params, and_bound))
