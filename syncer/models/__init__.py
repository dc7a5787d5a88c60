"""The engine's rows. Which work there is, and who holds it, lives here; the queue only wakes workers."""

from syncer.models.alert import Alert
from syncer.models.binding import Binding
from syncer.models.replica import Incarnation, Replica
from syncer.models.route import Route
from syncer.models.run import Attempt, Run
from syncer.models.target import Target
from syncer.models.worker import Worker

__all__ = ["Alert", "Attempt", "Binding", "Incarnation", "Replica", "Route", "Run", "Target", "Worker"]
