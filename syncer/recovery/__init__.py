"""The engine's part in events from outside: the restore of a database, and the erasure of personal data."""
