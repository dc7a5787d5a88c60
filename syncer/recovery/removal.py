"""Delete a target or a route with all that is known of it: a job does it in slices, for there may be millions of rows.

Nothing is sent. First the target or the route is disabled, so that no worker begins anything new with it.
"""

import time
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.kit.estimates import Count, count, total
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import AGAIN, RESUMES, TURN, Again, start
from backoffice.kit.permissions import Person
from syncer.engine.cancel import cancel
from syncer.models import Alert, Binding, Route, Run, Target

WORK = "syncer.recovery.removal.remove"
HERE = 1_000  # rows that a request deletes itself, in one transaction
SLICE = 1_000  # rows of a transaction
PAUSE = 0.1  # seconds after each slice on SQLite, whose waiting writers look every tenth


def belongings(owner: Target | Route) -> list["QuerySet[Any]"]:
    """Return what goes with a target or a route, each in the order of an index; attempts go with their bindings.

    What refers to others comes first, the owner last.
    """
    owners = type(owner)._default_manager.filter(pk=owner.pk)
    if isinstance(owner, Route):
        return [Binding.objects.filter(route=owner).order_by("object_key"), owners]
    bindings = [Binding.objects.filter(route=route).order_by("object_key") for route in owner.routes.order_by("pk")]
    return [*bindings, *(model._default_manager.filter(target=owner) for model in (Run, Alert, Route)), owners]


def numbers(owner: Target | Route) -> dict[str, Count]:
    """Return how many rows of each kind go, by the kind's name: `{"bindings": 12}`; beyond 10,000 a lower bound."""
    found: dict[str, list[Count]] = {}
    for rows in belongings(owner):
        found.setdefault(str(rows.model._meta.verbose_name_plural), []).append(count(rows))
    totals = {name: total(counts) for name, counts in found.items()}
    return {name: number for name, number in totals.items() if number}


def begin(owner: Target | Route, *, user: Any) -> Job:
    """Disable the target or route, and start the job that deletes it."""
    type(owner)._default_manager.filter(pk=owner.pk).update(enabled=False)
    if isinstance(owner, Target):
        for run in owner.runs.filter(state__in=Run.OPEN):
            cancel(run, user=user)
    title = _("Delete %(what)s with what belongs to it") % {"what": owner}
    arguments = {"model": owner._meta.label, "key": owner.pk}
    return start(WORK, user=user, title=title, arguments=arguments, resumes=RESUMES)


def remove(progress: Progress, *, model: str, key: int) -> Again | None:
    """Delete a target or a route and what belongs to it; the job's work.

    Each slice is a transaction of its own. Called again, it goes on with what is left.

    Raises:
        PermissionDenied: the user may not delete it.
    """
    ends_at = time.monotonic() + TURN
    owner = apps.get_model(model)._default_manager.filter(pk=key).first()
    if owner is None:
        return None
    person = Person(progress.user)
    if not person.may(type(owner), "delete"):
        raise PermissionDenied(person.refusal(type(owner), "delete"))
    if not any(progress.counts):
        progress.total(sum(rows.count() for rows in belongings(owner)))
    for rows in belongings(owner):
        while keys := list(rows.values_list("pk", flat=True)[:SLICE]):
            _delete(progress, rows, keys)
            if time.monotonic() > ends_at:
                return AGAIN
    return None


def _delete(progress: Progress, rows: "QuerySet[Any]", keys: list[Any]) -> None:
    with transaction.atomic(durable=True):
        rows.model._base_manager.filter(pk__in=keys).delete()
        progress.advance(len(keys))
    if connection.vendor == "sqlite":
        time.sleep(PAUSE)
