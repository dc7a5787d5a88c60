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
from tests.chaos.editor import ENDED, PAUSE, Door, Editor, Refused, Uncertain, change, uncertain
from tests.chaos.ledger import Change, Values, Write

WORK = "content.base.transfer_work.import_file"
WAIT = 60  # seconds until a job must have ended
COLUMNS = {"news.Post": ("id", "user_id", "title", "body"), "news.Comment": ("id", "post", "name", "email", "body")}


class ImportEditor(Editor):
    pause = 1.2

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
        try:
            upload = UploadStorage()
            upload.save(as_csv(label, changes))
            arguments = {"model": label, "resource": 0, "kind": "CSV", "upload": upload.take(), "name": "chaos.csv"}
            user = User.objects.get(username="chaos")
            job = start(WORK, user=user, title="Chaos", arguments=arguments, here=here)
            self.wait(job)
        except ENDED as error:
            uncertain(error)

    def wait(self, job: Job) -> None:
        """Raises Uncertain where its worker went, Refused where the rows are wrong, TimeoutError."""
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
            raise Uncertain(job.error)
        if job.error:
            raise Refused(f"{job.error} {job.problems}")


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
