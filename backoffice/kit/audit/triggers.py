"""The database keeps the audit trail: no program changes an entry, and only `prune_audit` deletes old ones."""

from typing import Any

MESSAGE = "Entries of the audit trail are not changed; prune_audit deletes old ones."
POSTGRESQL = f"""
CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM audit_retention WHERE OLD.at < before) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_keep();
"""
SQLITE = (
    f"""
    CREATE TRIGGER audit_keep_update BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    f"""
    CREATE TRIGGER audit_keep_delete BEFORE DELETE ON audit_entry
    WHEN NOT EXISTS (SELECT 1 FROM audit_retention WHERE OLD.at < before)
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    # INSERT OR REPLACE fires no DELETE trigger.
    f"""
    CREATE TRIGGER audit_keep_replace BEFORE INSERT ON audit_entry
    WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
)


def create(apps: Any, editor: Any) -> None:
    """Create the triggers; for a migration."""
    for statement in SQLITE if editor.connection.vendor == "sqlite" else (POSTGRESQL,):
        editor.execute(statement)


def drop(apps: Any, editor: Any) -> None:
    """Drop the triggers; for a migration backwards."""
    if editor.connection.vendor == "sqlite":
        for name in ("update", "delete", "replace"):
            editor.execute(f"DROP TRIGGER audit_keep_{name}")
    else:
        editor.execute("DROP FUNCTION audit_keep() CASCADE")
