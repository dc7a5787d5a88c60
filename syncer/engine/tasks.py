"""What the queue runs."""

from syncer.engine.runs import fail, work
from syncer.engine.wake import enqueue
from syncer.models import Run

SLICE = 30.0  # seconds; far below the queue's time-out, so that a task is never run twice for being long


def work_run(pk: int) -> None:
    """A slice of a run; enqueues its own continuation."""
    run = Run.objects.filter(pk=pk, finished_at=None).select_related("target").first()
    if run is None:
        return
    try:
        is_ended = work(run, seconds=SLICE)
    except Exception:
        fail(run)
        raise
    if not is_ended:
        enqueue(run)
