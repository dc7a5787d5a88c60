"""Writes by files: new and changed rows in one CSV, imported by a job of the workers or, if small, here and now."""

import csv
import io
import time

from django.db import connection

from backoffice.accounts.models import User
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import LOGGED, start
from backoffice.kit.jobs.sweep import STOPPED
from content.base.uploads import UploadStorage
from tests.chaos.editor import ENDED, PAUSE, Door, Editor, RefusedError, UncertainError, change, ended
from tests.chaos.ledger import Change, Values, Write

WORK = "content.base.transfer_work.import_file"
WAIT = 60  # seconds until a job must have ended
COLUMNS = {"news.Post": ("id", "user_id", "title", "body"), "news.Comment": ("id", "post", "name", "email", "body")}


class ImportEditor(Editor):
    pause = 1.2
    files = 0

    def doors(self) -> dict[Door, float]:
        return {self.posts: 3, self.comments: 2}

    def posts(self) -> Write:
        new = [self.new_post() for _ in range(self.choice.randint(1, 4))]
        return self.file("news.Post", new)

    def comments(self) -> Write | None:
        posts = self.pick("news.Post", 3)
        return self.file("news.Comment", [self.new_comment(post) for post in posts]) if posts else None

    def file(self, label: str, new: list[Values]) -> Write:
        """A file of `new` rows, and of some changed ones."""
        changes = [change(label, None, values) for values in new]
        for pk in self.pick(label, 4):
            values = self.ledger.objects[label][pk] | self.edited(label, pk)
            changes.append(change(label, pk, values))
        here = self.choice.random() < 0.5
        door = "import here" if here else "import by a worker"
        return Write(door=door, changes=changes, do=lambda: self.bring_in(label, changes, here=here))

    def bring_in(self, label: str, changes: list[Change], *, here: bool) -> None:
        self.files += 1
        name = f"{self.name} {self.files}.csv"
        try:
            job = self.begin(label, as_csv(label, changes), name, here=here)
        except ENDED as error:
            ended()
            # Whoever asked may not know it, but the job was begun: then somebody does it.
            job = self.sure(lambda: Job.objects.filter(arguments__name=name).first())
            if job is None:
                raise UncertainError(str(error)) from error
        self.wait(job)

    def begin(self, label: str, content: bytes, name: str, *, here: bool) -> Job:
        upload = UploadStorage()
        upload.save(content)
        arguments = {"model": label, "resource": 0, "kind": "CSV", "upload": upload.take(), "name": name}
        return start(WORK, user=User.objects.get(username="chaos"), title=name, arguments=arguments, here=here)

    def wait(self, job: Job) -> None:
        """Raises UncertainError where its worker went, RefusedError where the rows are wrong, TimeoutError."""
        until = time.monotonic() + WAIT
        while job.is_open:
            if time.monotonic() > until:
                raise TimeoutError(f"The job {job.pk} is {job.state} after {WAIT} s.")
            time.sleep(PAUSE)
            try:
                job.refresh_from_db()
            except ENDED:
                connection.close()
        if job.error in (LOGGED, STOPPED):
            raise UncertainError(job.error)
        if job.error:
            raise RefusedError(f"{job.error} {job.problems}")


def as_csv(label: str, changes: list[Change]) -> bytes:
    """The rows under the columns' names."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS[label])
    writer.writeheader()
    for one in changes:
        assert one.values
        row = {"post" if name == "post_id" else name: value for name, value in one.values.items()}
        writer.writerow({"id": one.pk or "", **row})
    return file.getvalue().encode()
