"""Start jobs and do them, each of them once, however often it is woken.

Work is a function `def enrich(progress: Progress, *, items: list[int]) -> dict[str, Any] | None`, named by its dotted
path; its return value is the job's result. After the queue's time-out, `Q_CLUSTER["timeout"]` (600 seconds), its worker
is killed. Work that takes longer is done in slices, each its own transaction: it returns `AGAIN` after `TURN` seconds
and is called again, by whichever worker is free. With `resumes`, it is called again too after its worker stopped.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import override
from django_q.tasks import async_task

from backoffice.kit import clock, lease
from backoffice.kit.api.problems import ProblemError, from_validation
from backoffice.kit.context import Cause, cause, caused_by, scope_of
from backoffice.kit.jobs.models import Job, first_lease
from backoffice.kit.jobs.progress import JobOverError, Progress, storable
from backoffice.kit.logs import about
from backoffice.kit.phrases import phrase
from backoffice.kit.tracing import span

log = logging.getLogger("backoffice.jobs")
TASK = "backoffice.kit.jobs.service.work"
LOGGED = phrase("An error in the program ended this; it was logged.")
NOT_ALLOWED = phrase("You may not do this.")
TURN = 240  # seconds that work in slices takes at a time; well below the queue's time-out
RESUMES = 20  # times that work in slices goes on after its worker stopped


class Again(Enum):
    AGAIN = "again"


AGAIN = Again.AGAIN  # returned by work that has more to do


def start(
    work: str,
    *,
    user: Any,
    title: str,
    total: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    here: bool = False,
    resumes: int = 0,
    on_created: Callable[[Job], object] | None = None,
) -> Job:
    """Create a job for a worker to do once this transaction is committed.

    Args:
        work: the dotted path of the function that does it.
        user: the user who asks; None: the program itself. The scope of the user's API key also limits the job.
        total: the number of items, if it is known.
        arguments: the function's keyword arguments, `{"name": value}`, of types that JSON can hold.
        here: do the job in this process before returning, so that a small job needs no wait.
        resumes: how many times work in slices goes on after its worker stopped.
        on_created: is called with the job before anybody does it.

    Raises:
        ImportError: there is no such function.
    """
    import_string(work)
    origin = cause()
    job = Job.objects.create(
        work=work,
        user=user,
        scope=scope_of(user),
        title=title[:256],
        total=total,
        arguments=dict(arguments or {}),
        request_id=origin.request_id,
        reason=origin.reason,
        resumes=resumes,
    )
    if on_created:
        on_created(job)
    if here:
        work_here(job)
    else:
        # Robust: if the queue fails, the sweep finds the job.
        transaction.on_commit(partial(enqueue, job), robust=True)
    return job


def enqueue(job: Job) -> None:
    """Queue a task for the job. A surplus task is harmless, and the sweep replaces a lost one."""
    async_task(TASK, str(job.pk), group=f"job {job.pk}", task_name=str(job.pk))


def work(pk: str) -> None:
    """Do the job unless another worker has taken it; the queue's task."""
    job = Job.objects.filter(pk=pk, state=Job.State.QUEUED).first()
    if job is not None:
        with lease.kept_alive(Job.objects.filter(pk=pk, state=Job.State.RUNNING)):
            work_here(job)


def work_here(job: Job) -> bool:
    """Do the job in this process, to its end, and read `job` again from the database.

    An error of the work fails the job and is not raised. The message of a broken rule is shown; any other error is
    logged, and the job only says so.

    Returns:
        False if another process has taken the job.
    """
    is_taken = take(job)
    _refresh(job)
    if not is_taken:
        return False
    with override(job.language), about(job=str(job.pk), request_id=job.request_id), span(job.work):
        _work(job)
    _refresh(job)
    return True


def _work(job: Job) -> None:
    """Do the work of a job that this process has taken, and end the job."""
    try:
        with _on_behalf_of(job):
            result = import_string(job.work)(Progress(job), **job.arguments)
        if result is AGAIN:
            _go_on(job)
        else:
            _end(job, state=Job.State.DONE, result=result)
    except ValidationError as error:
        _end(job, state=Job.State.FAILED, error=storable(from_validation(error).detail))
    except (ProblemError, PermissionDenied) as error:
        _end(job, state=Job.State.FAILED, error=storable(str(error)) or NOT_ALLOWED)
    except JobOverError:
        log.warning("job %s (%s) was given up before its end", job.pk, job.work)
    except Exception:
        log.exception("job %s (%s) failed", job.pk, job.work)
        _end(job, state=Job.State.FAILED, error=LOGGED)


def take(job: Job) -> bool:
    """Take the job; return whether we got it. Of all the workers that were woken, one does."""
    now = clock.now()
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED)
    return bool(waiting.update(state=Job.State.RUNNING, started_at=now, lease_until=lease.ends(now)))


def _go_on(job: Job) -> None:
    """Queue the job again, so that a worker does more of it. If the queue fails, the sweep finds the job."""
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING)
    if running.update(state=Job.State.QUEUED, lease_until=first_lease()):
        transaction.on_commit(partial(enqueue, job), robust=True)


def _end(job: Job, **values: Any) -> None:
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING)
    with transaction.atomic():  # an error in this write must not break a transaction of the caller's
        running.update(finished_at=clock.now(), **values)


def _refresh(job: Job) -> None:
    with suppress(Job.DoesNotExist):  # deleted with its account
        job.refresh_from_db()


@contextmanager
def _on_behalf_of(job: Job) -> Iterator[None]:
    """Record the job's user, request and reason in the history of all that the body writes."""
    if job.user is not None and not job.user.is_active:
        raise ProblemError(403, "The account that started this was deactivated.")
    if job.user is not None and job.scope is not None:
        job.user.scope = frozenset(job.scope)
    with caused_by(Cause(user=lambda: job.user, request_id=job.request_id, reason=job.reason)):
        yield
