"""Starting a job, and doing it: once, whatever wakes it how often.

Work is a function `def enrich(progress: Progress, *, items: list[int]) -> dict[str, Any] | None`, named by its dotted
path; what it gives back is the job's result. It may take the queue's time-out, `Q_CLUSTER["timeout"]` (600 seconds),
after which its worker is killed.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from backoffice.kit import clock, lease
from backoffice.kit.api.problems import ProblemError, from_validation
from backoffice.kit.context import Cause, cause, caused_by, scope_of
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import JobOverError, Progress, storable

log = logging.getLogger("backoffice.jobs")
TASK = "backoffice.kit.jobs.service.work"
LOGGED = "An error in the program ended this; it was logged."


def start(
    work: str,
    *,
    user: Any,
    title: str,
    total: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    here: bool = False,
) -> Job:
    """A job for a worker to do once this transaction is committed.

    Args:
        work: the dotted path of the function that does it.
        user: who asks; None: the program itself. Who came with a key may do no more in the job than with the key.
        total: how many items there are to do, where that is known.
        arguments: what JSON can hold; given to the function as keywords.
        here: do it now, in this process, before this returns: for what is small, so that nobody has to wait.
    """
    import_string(work)
    given = cause()
    job = Job.objects.create(
        work=work,
        user=user,
        scope=scope_of(user),
        title=title[:256],
        total=total,
        arguments=dict(arguments or {}),
        request_id=given.request_id,
        reason=given.reason,
    )
    if here:
        work_here(job)
    else:
        # Robust: should the queue fail, the sweep finds the job.
        transaction.on_commit(partial(enqueue, job), robust=True)
    return job


def enqueue(job: Job) -> None:
    """Queue a task for the job. One task too many is harmless; one that is lost is found by the sweep."""
    async_task(TASK, str(job.pk), group=f"job {job.pk}", task_name=str(job.pk))


def work(pk: str) -> None:
    """Do the job unless somebody did; the queue's task."""
    job = Job.objects.filter(pk=pk, state=Job.State.QUEUED).first()
    if job is not None:
        with lease.kept_alive(Job.objects.filter(pk=pk, state=Job.State.RUNNING)):
            work_here(job)


def work_here(job: Job) -> bool:
    """Do the job in this process, to its end; `job` is then as the database has it. False: somebody else took it.

    An error of the work ends the job, not the caller: a rule that was broken in its own words, anything else is
    logged whole and shown as no more than that.
    """
    if not take(job):
        _refresh(job)
        return False
    _refresh(job)
    try:
        with _on_behalf_of(job):
            result = import_string(job.work)(Progress(job), **job.arguments)
        _end(job, state=Job.State.DONE, result=result)
    except (ProblemError, PermissionDenied, ValidationError) as error:
        _fail(job, _words(error))
    except JobOverError:
        log.warning("job %s (%s) was given up before its end", job.pk, job.title)
    except Exception:
        log.exception("job %s (%s) failed", job.pk, job.title)
        _fail(job, LOGGED)
    _refresh(job)
    return True


def take(job: Job) -> bool:
    """Whether the job is ours to do: of all who were woken, one gets it."""
    now = clock.now()
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED)
    return bool(waiting.update(state=Job.State.RUNNING, started_at=now, lease_until=lease.ends(now)))


def _words(error: ProblemError | PermissionDenied | ValidationError) -> str:
    if isinstance(error, ValidationError):
        return from_validation(error).detail
    return str(error) or "You may not do this."


def _fail(job: Job, error: str) -> None:
    _end(job, state=Job.State.FAILED, error=storable(error))


def _end(job: Job, **values: Any) -> None:
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING)
    with transaction.atomic():  # what can't be written must not spoil a transaction of the caller's
        running.update(finished_at=clock.now(), **values)


def _refresh(job: Job) -> None:
    with suppress(Job.DoesNotExist):  # it went with its account
        job.refresh_from_db()


@contextmanager
def _on_behalf_of(job: Job) -> Iterator[None]:
    """What is written has the person, the request and the reason in its history.

    Raises:
        ProblemError: 403, the account was switched off since.
    """
    if job.user is not None and not job.user.is_active:
        raise ProblemError(403, "The account that started this was deactivated.")
    if job.user is not None and job.scope is not None:
        job.user.scope = frozenset(job.scope)
    with caused_by(Cause(user=lambda: job.user, request_id=job.request_id, reason=job.reason)):
        yield
