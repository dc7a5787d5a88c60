"""The engine's rows. Which work there is, and who holds it, lives here; the queue only wakes workers."""

from syncer.models.binding import Binding
from syncer.models.history_check import HistoryCheck
from syncer.models.notice import Notice
from syncer.models.route import Route
from syncer.models.run import Attempt, Run
from syncer.models.target import Target
from syncer.models.worker import Worker

__all__ = ["Attempt", "Binding", "HistoryCheck", "Notice", "Route", "Run", "Target", "Worker"]
