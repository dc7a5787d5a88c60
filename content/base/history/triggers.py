"""Making, dropping and checking the triggers that write history.

Migrations run without them: SQLite does not alter tables under triggers, and on PostgreSQL a function that does not
know a new column fails. So they are dropped before migrations that change something, and made after them. A migration
that changes rows leaves no history, unless it says so: see `audit.record_history`.
"""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from backoffice.kit.history import history_of
from content.base.history import postgresql, sqlite
from content.base.history.tables import Trigger, recorded, recorded_models

CURE = "Run: manage.py migrate; then, for what was written meanwhile: manage.py check_history."


def dialect_of(connection: BaseDatabaseWrapper) -> ModuleType:
    """What differs by database."""
    return {"postgresql": postgresql, "sqlite": sqlite}[connection.vendor]


def installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers that are there, `{name: definition}`; see `Trigger`."""
    with connection.cursor() as cursor:
        cursor.execute(dialect_of(connection).INSTALLED)
        return dict(cursor.fetchall())


def wanted(connection: BaseDatabaseWrapper, found: Iterable[type[models.Model]]) -> dict[str, Trigger]:
    """The triggers of these models, by name."""
    dialect = dialect_of(connection)
    with connection.cursor() as cursor:
        cursor.execute(dialect.SCHEMA)
        schema = str(cursor.fetchone()[0])
    tables = [recorded(model, connection, schema=schema) for model in found]
    return {trigger.name: trigger for table in tables for trigger in dialect.triggers(table, schema)}


def faults(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that are missing, disabled, or not as they should be, by name."""
    there = installed(connection)
    return sorted(
        name for name, one in wanted(connection, recorded_models()).items() if there.get(name) != one.definition
    )


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers that are missing or differ, and drop those that nobody wants any more."""
    there, all_wanted = installed(connection), wanted(connection, _migrated(connection))
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for name, definition in there.items():
            if name not in all_wanted or all_wanted[name].definition != definition:
                _drop(name, connection)
        for name, trigger in all_wanted.items():
            if there.get(name) != trigger.definition:
                for statement in trigger.create:
                    cursor.execute(statement)


def _migrated(connection: BaseDatabaseWrapper) -> Iterator[type[models.Model]]:
    """The models whose tables are as the program knows them; after a migration back, some are not."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model in recorded_models():
            both = (model, history_of(model))
            if all(one._meta.db_table in tables and _has_all_columns(one, connection, cursor) for one in both):
                yield model


def _has_all_columns(model: type[models.Model], connection: BaseDatabaseWrapper, cursor: Any) -> bool:
    there = {one.name for one in connection.introspection.get_table_description(cursor, model._meta.db_table)}
    return all(field.column in there for field in model._meta.concrete_fields)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers that write history."""
    with transaction.atomic(connection.alias):
        for name in installed(connection):
            _drop(name, connection)


def _drop(name: str, connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(dialect_of(connection).DROP.format(name=name))


def before_migrations(*, using: str, plan: Iterable[tuple[Any, bool]] = (), **_: Any) -> None:
    apps = {model._meta.app_label for model in recorded_models()}
    if any(migration.app_label in apps for migration, _ in plan):
        drop(connections[using])


def after_migrations(*, using: str, **_: Any) -> None:
    install(connections[using])
