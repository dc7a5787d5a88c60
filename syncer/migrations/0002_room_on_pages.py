"""PostgreSQL: leave room on each page of bindings for the next version of a few of its rows.

Such a version needs no new index entries, and a plan or a delivery of objects that are far apart reads half as much.
See https://www.postgresql.org/docs/current/storage-hot.html.
"""

from typing import Any

from django.db import migrations


def leave_room(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE syncer_binding SET (fillfactor = 80)")


def leave_none(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE syncer_binding RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("syncer", "0001_initial")]
    operations = [migrations.RunPython(leave_room, leave_none)]
