"""What a person does to many objects: at once where they are few, otherwise as a job.

A job does it in slices, each a short transaction, and checks the permission of the person who started it again.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from backoffice.kit.jobs import service
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from syncer.engine import holding
from syncer.engine.holding import Chosen, Released
from syncer.models.target import SYNC_PERMISSION

AT_ONCE = 1000  # objects; about half a second


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
    return {"held": holding.hold(chosen, reason=reason, user=progress.user, counted=progress.advance)}


def release_all(progress: Progress, *, chosen: dict[str, list[str]]) -> dict[str, int]:
    """Release objects; the work of a job."""
    check(progress)
    released = holding.release(chosen, user=progress.user, counted=progress.advance)
    return {"released": released.number, "due": released.due}


def check(progress: Progress) -> None:
    """Check that the person who started the job may still sync targets.

    Raises:
        PermissionDenied: they may not.
    """
    if progress.user is not None and not progress.user.has_perm(SYNC_PERMISSION):
        raise PermissionDenied
