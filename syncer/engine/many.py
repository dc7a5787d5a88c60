"""What a person does to many objects: at once where they are few, otherwise as a job.

A job does it in slices, each a short transaction, and checks the permission of the person who started it again.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.kit import clock
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.batches import batched
from backoffice.kit.jobs import service
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import AGAIN, TURN, Again
from syncer.engine import breaker, holding
from syncer.engine.holding import Chosen, Released
from syncer.engine.plan import raise_keys
from syncer.models import Binding
from syncer.models.target import SYNC_PERMISSION

AT_ONCE = 1000  # objects that are held, released or tried again; 1 to 2 seconds on a busy machine
DECIDED_AT_ONCE = 100  # objects, each in a transaction of its own; 1 to 5 seconds
T = TypeVar("T")
# Does something to each of some items; yields the name of each, and why it could not be done, empty if it was.
Do = Callable[[list[T]], Iterable[tuple[str, str]]]


@dataclass
class Acted:
    """What became of the objects of one act.

    Attributes:
        done: how many it was done to.
        refused: those it could not be done to, each with the reason: `[("news.Post:5", "…"), …]`.
    """

    done: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def act(items: Iterable[T], do: Do[T], *, size: int) -> Acted:
    """Do something to each of the items, `size` of them at a time."""
    acted = Acted()
    for some in batched(items, size):
        for name, why in do(some):
            if why:
                acted.refused.append((name, why))
            else:
                acted.done += 1
    return acted


def act_in_turns(progress: Progress, items: Sequence[T], do: Do[T], *, size: int) -> dict[str, int] | Again:
    """Do something to each of the items of a job, from where an earlier turn ended, and report what failed."""
    until = time.monotonic() + TURN
    for some in batched(items[sum(progress.counts) :], size):
        part = act(some, do, size=size)
        progress.advance(part.done)
        if part.refused:
            progress.fail_all(part.refused)
        if time.monotonic() > until:
            return AGAIN
    decided, left = progress.counts
    return {gettext_noop("decided"): decided, gettext_noop("left"): left}


def hold(chosen: Chosen, *, reason: str, user: Any) -> int | Job:
    """Hold objects back; return how many were not on hold, or the job that will do it.

    Raises:
        NotPossibleError: see `holding.checked`.
    """
    reason = holding.checked(reason)
    if number_of(chosen) <= AT_ONCE:
        return holding.hold(chosen, reason=reason, user=user)
    return _start(hold_all, chosen, title=_("Hold objects back"), user=user, reason=reason)


def release(chosen: Chosen, *, user: Any) -> Released | Job:
    """Release objects; return how many were on hold, or the job that will do it."""
    if number_of(chosen) <= AT_ONCE:
        return holding.release(chosen, user=user)
    return _start(release_all, chosen, title=_("Release objects"), user=user)


def retry(chosen: Chosen, *, user: Any) -> Job:
    """Let a job try objects again; the workers send them then."""
    record(Action.DECIDED, actor=user, decision="retry", objects=number_of(chosen))
    return _start(retry_all, chosen, title=_("Try objects again"), user=user)


def number_of(chosen: Chosen) -> int:
    return sum(map(len, chosen.values()))


def _start(work: Callable[..., object], chosen: Chosen, *, title: str, user: Any, **arguments: object) -> Job:
    path = f"{work.__module__}.{work.__name__}"
    return service.start(
        path, user=user, title=title, total=number_of(chosen), arguments={"chosen": dict(chosen), **arguments}
    )


def hold_all(progress: Progress, *, chosen: dict[str, list[str]], reason: str) -> dict[str, int]:
    """Hold objects back; the work of a job."""
    check(progress)
    return {gettext_noop("held"): holding.hold(chosen, reason=reason, user=progress.user, counted=progress.advance)}


def release_all(progress: Progress, *, chosen: dict[str, list[str]]) -> dict[str, int]:
    """Release objects; the work of a job."""
    check(progress)
    released = holding.release(chosen, user=progress.user, counted=progress.advance)
    return {gettext_noop("released"): released.number, gettext_noop("due"): released.due}


def retry_all(progress: Progress, *, chosen: dict[str, list[str]]) -> dict[str, int]:
    """Try objects again: plan them, and end their waits; the work of a job."""
    check(progress)
    number = 0
    for route, keys in holding.slices(chosen):
        number += raise_keys(route, keys)
        waiting = Binding.objects.filter(route=route, object_key__in=keys, on_hold=False)
        breaker.clear_backoff(waiting, now=clock.now())
        progress.advance(len(keys))
    return {gettext_noop("tried"): number}


def check(progress: Progress) -> None:
    """Check that the person who started the job may still sync targets.

    Raises:
        PermissionDenied: they may not.
    """
    if progress.user is not None and not progress.user.has_perm(SYNC_PERMISSION):
        raise PermissionDenied
