"""Create, drop and check the triggers that write history.

Migrations run without the triggers: SQLite does not alter tables that have triggers, and on PostgreSQL a function that
does not know a new column fails. So they are dropped before migrations that change something, and created after them.
A migration that changes rows leaves no history unless it uses `audit.record_history`.
"""

from collections.abc import Iterable, Iterator
from types import ModuleType

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from backoffice.kit.history import history_of
from content.base.history import postgresql, sqlite
from content.base.history.tables import Trigger, recorded, recorded_models

CURE = "Run: manage.py migrate; then, for what was written meanwhile: manage.py check_history."


def dialect_of(connection: BaseDatabaseWrapper) -> ModuleType:
    """Return the module of this kind of database: `postgresql` or `sqlite`."""
    return {"postgresql": postgresql, "sqlite": sqlite}[connection.vendor]


def installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the triggers in the database, `{name: definition}`; see `Trigger`."""
    with connection.cursor() as cursor:
        cursor.execute(dialect_of(connection).INSTALLED)
        return dict(cursor.fetchall())


def wanted(connection: BaseDatabaseWrapper, of: Iterable[type[models.Model]]) -> dict[str, Trigger]:
    """Return the triggers that these models should have, by name."""
    dialect = dialect_of(connection)
    with connection.cursor() as cursor:
        cursor.execute(dialect.SCHEMA)
        schema = str(cursor.fetchone()[0])
    tables = [recorded(model, connection, schema=schema) for model in of]
    return {trigger.name: trigger for table in tables for trigger in dialect.triggers(table, schema)}


def faults(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that are missing, disabled or different from their definition, sorted."""
    present = installed(connection)
    triggers = wanted(connection, recorded_models())
    return sorted(name for name, trigger in triggers.items() if present.get(name) != trigger.definition)


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers that are missing or different, and drop those that are no longer wanted."""
    present, triggers = installed(connection), wanted(connection, migrated_models(connection))
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for name, definition in present.items():
            if name not in triggers or triggers[name].definition != definition:
                cursor.execute(dialect_of(connection).DROP.format(name=name))
        for name, trigger in triggers.items():
            if present.get(name) != trigger.definition:
                for statement in trigger.create:
                    cursor.execute(statement)


def migrated_models(connection: BaseDatabaseWrapper) -> Iterator[type[models.Model]]:
    """Yield the models of which both tables have all columns; after a backward migration, some may not."""
    names = set(connection.introspection.table_names())
    with connection.cursor() as cursor:

        def is_migrated(model: type[models.Model]) -> bool:
            table = model._meta.db_table
            if table not in names:
                return False
            columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            return all(field.column in columns for field in model._meta.concrete_fields)

        for model in recorded_models():
            if is_migrated(model) and is_migrated(history_of(model)):
                yield model


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers that write history."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for name in installed(connection):
            cursor.execute(dialect_of(connection).DROP.format(name=name))


def before_migrations(*, using: str, plan: Iterable[tuple[Migration, bool]] = (), **_: object) -> None:
    """Drop the triggers before migrations that change an app with history. Receives `pre_migrate`."""
    apps = {model._meta.app_label for model in recorded_models()}
    if any(migration.app_label in apps for migration, _ in plan):
        drop(connections[using])


def after_migrations(*, using: str, **_: object) -> None:
    """Create the triggers after all migrations. Receives `post_migrate`."""
    install(connections[using])


def add_cause(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Make a new connection send the cause of each write to the triggers. Receives `connection_created`."""
    dialect_of(connection).hand_over(connection)
