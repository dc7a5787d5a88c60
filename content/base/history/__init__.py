"""The history of content, written by the database itself, whoever writes: see docs/adr/0015.

`rows`: what a history row holds. `tables`: which columns are recorded. `postgresql` and `sqlite`: the triggers of each,
and how they learn who writes and why. `triggers`: making, dropping and checking them. `audit`: rows that history lacks.
"""

from content.base.history.rows import HistoryRow, Records, TransactionId

__all__ = ["HistoryRow", "Records", "TransactionId"]
