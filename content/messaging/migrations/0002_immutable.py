"""Add triggers that refuse every change of a message except its erasure.

SQLite drops a trigger when a later migration remakes the table, so such a migration must create it again.
"""

from django.db import migrations

KEPT = ("id", "bot_id", "direction", "conversation", "timestamp")
SAME = " AND ".join(f"NEW.{name} = OLD.{name}" for name in KEPT)
CHANGED = f"""
    NOT ({SAME} AND NEW.client = OLD.client AND NEW.text = OLD.text)
    AND NOT ({SAME} AND NEW.text = '[erased]' AND NEW.client LIKE 'erased-%')
"""
FORWARD = {
    "postgresql": [
        """
        CREATE FUNCTION messaging_message_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'A message is never changed.' USING ERRCODE = 'check_violation'; END $$
        """,
        f"""
        CREATE TRIGGER messaging_message_immutable BEFORE UPDATE ON messaging_message FOR EACH ROW
        WHEN ({CHANGED}) EXECUTE FUNCTION messaging_message_immutable()
        """,
    ],
    "sqlite": [
        f"""
        CREATE TRIGGER messaging_message_immutable BEFORE UPDATE ON messaging_message
        WHEN {CHANGED} BEGIN SELECT RAISE(ABORT, 'A message is never changed.'); END
        """
    ],
}
BACKWARD = {
    "postgresql": [
        "DROP TRIGGER messaging_message_immutable ON messaging_message",
        "DROP FUNCTION messaging_message_immutable",
    ],
    "sqlite": ["DROP TRIGGER messaging_message_immutable"],
}


def run(statements):
    def migrate(apps, schema_editor):
        with schema_editor.connection.cursor() as cursor:
            for statement in statements[schema_editor.connection.vendor]:
                cursor.execute(statement)

    return migrate


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]
    operations = [migrations.RunPython(run(FORWARD), run(BACKWARD))]
