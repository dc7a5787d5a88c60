"""Cancel a run: it stops after what is under way, and what it leaves is still pending.

The run's row says that somebody cancelled it, and its workers look there before each claim. So nothing that was begun
is broken off: each request is answered and settled. What is left goes with the next sync, that of a person, a change or
a schedule; only the automatic next try waits for one, else it would undo the cancelling within seconds.
"""

from typing import Any

from backoffice.kit import clock
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from syncer.models import Run

NOT_STARTED = "Cancelled by {user} before it began; changes are kept for the next sync."


def cancel(run: Run, *, user: Any) -> bool:
    """Cancel the run for `user`; return False where it has ended, or was cancelled already."""
    now, name = clock.now(), user.get_username() if user else "a command"
    rows = Run.objects.filter(pk=run.pk, cancelled_at=None)
    ended = {"state": Run.State.CANCELLED, "finished_at": now, "message": NOT_STARTED.format(user=name)}
    by = {"cancelled_at": now, "cancelled_by": name}
    is_done = bool(
        rows.filter(state=Run.State.QUEUED).update(**by, **ended) or rows.filter(state__in=Run.OPEN).update(**by)
    )
    if is_done:
        record(Action.RUN_CANCELLED, run.target, actor=user, run=run.pk)
    return is_done
