"""The history of content. Triggers in the database write it, for every writer: see docs/adr/0015.

rows         the columns of a history row
tables       which tables and columns are recorded
cause        the user, reason and request that a write hands to the triggers
postgresql   the triggers on PostgreSQL, and how they receive the cause
sqlite       the triggers on SQLite, and how they receive the cause
triggers     create, drop and check the triggers
audit        find and record changes that history lacks
checks       Django's system checks
"""

from content.base.history.rows import HistoryRow, Records, TransactionId

__all__ = ["HistoryRow", "Records", "TransactionId"]
