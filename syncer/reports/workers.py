"""Hints about workers that are missing or without a heartbeat."""

from django.utils.translation import gettext, ngettext

from backoffice.kit import clock
from syncer.models import Worker

START = "start “manage.py worker”"


def trouble_at(host: str) -> str:
    """Return what is wrong with a machine's workers, and the cure; empty if one of them is alive."""
    here = Worker.objects.filter(host=host)
    if here.alive().exists():
        return ""
    last = here.order_by("-heartbeat_at").first()
    if last is None:
        return f"No worker runs on {host}, or it has had no heartbeat yet: {START}, or see its log."
    age = (clock.now() - last.heartbeat_at).total_seconds()
    return f"The worker on {last} has had no heartbeat for {age:.0f} s: see its log, and {START} again if it has ended."


def workers_alive() -> list[str]:
    """Return a sentence's part for each worker that had a heartbeat a moment ago."""
    now = clock.now()
    return [
        f"the worker on {worker} had a heartbeat {(now - worker.heartbeat_at).total_seconds():.0f} s ago"
        for worker in Worker.objects.alive()
    ]


def missing_hint() -> str:
    """Return the sentence that says what no worker means for what is due, and the cure."""
    return gettext("No worker is running, so that nothing is sent: start “manage.py worker”, or see its log.")


def waiting_hint() -> str:
    """Return the sentence that says why no worker may have taken a run yet."""
    alive = Worker.objects.alive().count()
    if alive == 0:
        return gettext("No worker has taken this yet, and none is running: start “manage.py worker”.")
    text = ngettext(
        "No worker has taken this yet. %(number)d is running, perhaps at other work.",
        "No worker has taken this yet. %(number)d are running, perhaps at other work.",
        alive,
    )
    return text % {"number": alive}
