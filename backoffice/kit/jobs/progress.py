"""What a work function holds in its hand: how far it is, and what failed."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from django.db.models import F

from backoffice.kit import lease, waiting_files
from backoffice.kit.jobs.models import Job

PROBLEMS = 100  # kept of a job; of the others only how many they are
MESSAGE = 1000  # characters


def storable(text: str) -> str:
    """`text`, not too long, and without what PostgreSQL can't keep."""
    return text[:MESSAGE].replace("\0", "\ufffd")


class JobOverError(Exception):
    """The job was ended meanwhile, or is gone with its account. What is not committed is to be rolled back."""


class Progress:
    """The running job, for the function that does its work.

    Called inside a transaction, `advance` and `fail` are seen by others when it commits, and what was written in it
    is rolled back should the job have been given up by then.

    Attributes:
        user: who started the job, read anew; None: the program itself. What is written under the job has this user,
            the request's id and its reason in the history by itself.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.user: Any = job.user

    @property
    def job_id(self) -> str:
        return str(self._job.pk)

    def total(self, items: int) -> None:
        """Say how many items there are, where the caller could not."""
        self._update(total=items)

    def advance(self, done: int = 1) -> None:
        """So many more items are done.

        Raises:
            JobOverError: nobody waits for this job any more.
        """
        self._update(done=F("done") + done)

    def fail(self, item: object, message: str) -> None:
        """One item failed; the others go on. `message` is for people, and is shown."""
        self.fail_all([(item, message)])

    def fail_all(self, problems: Iterable[tuple[object, str]]) -> None:
        """As `fail`, for many items with one write."""
        found = [{"item": storable(str(item)), "message": storable(message)} for item, message in problems]
        self._job.problems = (self._job.problems + found)[:PROBLEMS]
        self._update(failed=F("failed") + len(found), problems=self._job.problems)

    @contextmanager
    def file(self, name: str, content_type: str) -> Iterator[BinaryIO]:
        """A file to write, which who started the job can then download as `name`, for a day. One for each job.

        A running job that has a file's name is writing it.
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
