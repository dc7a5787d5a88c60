"""Goes on after a fail-over that lost nothing.

A promoted standby begins a timeline of its own, so that all routes stop: from inside, one that lost the last commits
can't be told from one that has them all. With synchronous replication it has: whoever knows that moves the marks to the
new timeline, and nothing is compared again.
"""

from django.db import transaction

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from syncer.models import Route, Target, mark
from syncer.recovery.recover import CURE


def go_on() -> int:
    """Let every mark of the server that died be one of this server, and unblock the targets; return how many moved.

    Raises:
        ForeignMarkError: a mark is of another database, so that this was no fail-over; nothing was written.
    """
    with transaction.atomic(durable=True):
        routes = Route.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
        here = mark.database()
        moved = {route.pk: mark.after_failover(route.mark, here) for route in routes if route.mark}
        for pk, text in moved.items():
            Route.objects.filter(pk=pk).update(mark=text)
        Target.objects.filter(blocked__contains=CURE).update(blocked="")
        record(Action.DECIDED, decision="failover", routes=len(moved))
    return len(moved)
