"""Search: indexes by which PostgreSQL finds a part of a text, for the columns that a model names as `searched`.

The extension pg_trgm (https://www.postgresql.org/docs/current/pgtrgm.html) comes with PostgreSQL, but a server may lack
it, or a role may not create it. So the indexes are created after migrations where that is possible, and search reads
the whole table where it is not. SQLite has no index for the middle of a text beside the tables of FTS5, which every
write would have to keep up to date; there search always reads the table.
"""

import logging
from collections.abc import Iterator
from functools import cache

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from content.base.history.triggers import migrated_models
from content.base.models import ContentModel

CURE = "Search reads whole tables. Install PostgreSQL's extension pg_trgm, and run manage.py migrate again."
# Where the operators are: an extension may be in any schema, which need not be in the search path.
SCHEMA = """
    SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm'
"""
CREATE = "CREATE EXTENSION pg_trgm"

logger = logging.getLogger(__name__)


def after_migrations(*, using: str, **_: object) -> None:
    """Create the missing indexes after all migrations. Receives `post_migrate`."""
    connection = connections[using]
    if connection.vendor == "postgresql" and (schema := _extension(connection)):
        with connection.cursor() as cursor:
            for statement in _statements(connection, schema):
                cursor.execute(statement)


def _extension(connection: BaseDatabaseWrapper) -> str:
    """Return the quoted schema of pg_trgm, which is created if it may be; empty if it can't be had."""
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        if row := cursor.fetchone():
            return str(row[0])
        try:
            with transaction.atomic(connection.alias):
                cursor.execute(CREATE)
        except DatabaseError as error:  # it is not installed, or this role may not create it
            logger.warning("%s (%s)", CURE, str(error).strip().partition("\n")[0])
            return ""
        cursor.execute(SCHEMA)
        return str(cursor.fetchone()[0])


def _statements(connection: BaseDatabaseWrapper, schema: str) -> Iterator[str]:
    """Yield the statement that creates the index of each model, if it is missing.

    One index holds all columns, in the form in which Django compares them for `icontains`.
    """
    quote = connection.ops.quote_name
    for model in migrated_models(connection):
        if issubclass(model, ContentModel) and model.searched:
            table = model._meta.db_table
            columns = [quote(str(model._meta.get_field(name).column)) for name in model.searched]  # type: ignore[union-attr]
            keys = ", ".join(f"upper({column}::text) {schema}.gin_trgm_ops" for column in columns)
            yield f"CREATE INDEX IF NOT EXISTS {quote(f'{table}_search')} ON {quote(table)} USING gin ({keys})"


@cache
def is_indexed(using: str) -> bool:
    """Return whether a text is found by an index; asked once a process, as only migrations change it."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        return cursor.fetchone() is not None
