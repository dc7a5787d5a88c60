"""Writes by files: new and changed rows in one CSV, imported by a job of the workers or, if small, here and now."""

import csv
import io
import time

from backoffice.accounts.models import User
from content.base.imports.model import Import
from content.base.imports.service import cancel, go_on, start_import, undo, write
from content.base.uploads import Upload
from tests.chaos.editor import PAUSE, Door, Editor, RefusedError, change, model_of
from tests.chaos.ledger import Change, Values, Write

WAIT = 180  # seconds until an import must have ended, longer than two leases
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
        """Upload, look at the preview, confirm; undo what could be written in part only, so that all or nothing is."""
        self.files += 1
        name = f"{self.name} {self.files}.csv"
        upload = Upload.of([as_csv(label, changes)])
        user = self.sure(lambda: User.objects.get(username="chaos"))
        self.sure(lambda: self.known(name) or self.begin(label, upload, name, user, here=here))
        record = self.wait(self.sure(lambda: self.known(name)))
        if record.state == Import.State.READY and not record.failed:
            self.sure(lambda: self.confirm(record, here=here))
            record = self.wait(record)
        if record.failed or record.error:
            self.sure(lambda: self.take_back(record, user))
            raise RefusedError(f"{record.error} {record.counts} {record.written}")

    def known(self, name: str) -> Import | None:
        return Import.objects.filter(file_name=name).first()

    def begin(self, label: str, upload: Upload, name: str, user: User, *, here: bool) -> Import:
        model = model_of(label)
        return start_import(model=model, user=user, upload=upload, kind="CSV", file_name=name, here=here)

    def confirm(self, record: Import, *, here: bool) -> None:
        record.refresh_from_db()
        if record.state == Import.State.READY:
            write(record, here=here)

    def take_back(self, record: Import, user: User) -> None:
        record.refresh_from_db()
        if record.state == Import.State.READY:
            cancel(record)
        elif record.can_be_undone:
            undo(record, user=user)
        if undoing := Import.objects.filter(undoes=record).first():
            self.wait(undoing)

    def wait(self, record: Import) -> Import:
        """Wait until nobody is at work on it; whoever is killed is followed by another worker.

        Raises:
            TimeoutError: they take too long.
        """
        until = time.monotonic() + WAIT
        while self.sure(lambda: self.is_open(record)):
            if time.monotonic() > until:
                raise TimeoutError(f"The import {record} is {record.state} after {WAIT} s.")
            time.sleep(PAUSE)
        return record

    def is_open(self, record: Import) -> bool:
        record.refresh_from_db()
        if record.is_stuck:
            go_on(record)
        return record.is_open


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
