"""The handle by which a work function reports its progress and its failed items."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from django.db.models import F

from backoffice.kit import lease, waiting_files
from backoffice.kit.jobs.models import Job

PROBLEMS = 100  # kept of a job; the others are only counted
MESSAGE = 1000  # characters


def storable(text: str) -> str:
    """Return `text`, cut to MESSAGE characters and without the NUL that PostgreSQL can't store."""
    return text[:MESSAGE].replace("\0", "\ufffd")


class JobOverError(Exception):
    """The job has been ended, or was deleted with its account. Uncommitted work must be rolled back."""


class Progress:
    """The running job, for the function that does its work.

    Inside a transaction, the figures of `advance` and `fail` become visible when it commits. The history of all that
    the job writes gets its user, the request's id and its reason automatically.

    Raises:
        JobOverError: by every method that reports; the job was given up. The error rolls the transaction back.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.user: Any = job.user  # who started the job, read again; None: the program itself

    @property
    def job_id(self) -> str:
        """The job's UUID."""
        return str(self._job.pk)

    @property
    def counts(self) -> tuple[int, int]:
        """How many items are done, and how many failed, in this turn and in earlier ones."""
        done, failed = Job.objects.values_list("done", "failed").get(pk=self._job.pk)
        return done, failed

    def start_over(self) -> None:
        """Take back the failures of earlier turns, for work that tries again all that is left in each."""
        if self._job.failed:
            self._job.problems = []
            self._update(failed=0, problems=[])

    def total(self, items: int) -> None:
        """Set the number of items, if the caller of `start` did not know it."""
        self._update(total=items)

    def advance(self, done: int = 1) -> None:
        """Count `done` more items as done."""
        self._update(done=F("done") + done)

    def fail(self, item: object, message: str) -> None:
        """Record that one item failed, with a message for the user; the others go on."""
        self.fail_all([(item, message)])

    def fail_all(self, problems: Iterable[tuple[object, str]], *, count: int | None = None) -> None:
        """Record many failed items, `(item, message)` each, with one write; see `fail`.

        Args:
            count: how many failed, if `problems` are only the first of them.
        """
        failed = [{"item": storable(str(item)), "message": storable(message)} for item, message in problems]
        self._job.problems = (self._job.problems + failed)[:PROBLEMS]
        self._update(failed=F("failed") + (len(failed) if count is None else count), problems=self._job.problems)

    @contextmanager
    def file(self, name: str, content_type: str) -> Iterator[BinaryIO]:
        """Open the one file of the job for writing; its starter can download it as `name`, for a day.

        While the job runs, a file name without a file means that the file is being written.
        """
        self._update(file_name=name, file_type=content_type)
        file = waiting_files.new()
        with ExitStack() as unless_done:
            unless_done.callback(waiting_files.remove, file)
            with waiting_files.path(file).open("wb") as out:
                yield out
            self._update(file=file)
            unless_done.pop_all()

    def _update(self, **values: Any) -> None:
        running = Job.objects.filter(pk=self._job.pk, state=Job.State.RUNNING)
        if not running.update(lease_until=lease.ends(), **values):
            raise JobOverError
