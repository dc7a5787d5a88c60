"""The erasers of the stores that came with the house's parts; see `backoffice.kit.erasure`."""

import zipfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django_q.models import OrmQ, Task

from backoffice.kit import clock
from backoffice.kit.erasure import Words, delete_where, erase_in
from backoffice.kit.idempotency.models import KeptAnswer
from backoffice.kit.jobs.models import Job

JOB_TEXTS = ("title", "arguments", "problems", "result", "error", "reason", "request_id", "file_name")
RUNNING_FILE = "A person's words were erased while the file was being written; start it again."
QUEUED_WORDS = "A person's words were erased from what it was to do; start it again."
SIGN_IN = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)  # what the sign-in keeps in a session
SEARCHED_MOST = 20 * 1024 * 1024  # bytes of a file, unpacked; about five seconds


def log(words: Words) -> int:
    return erase_in(LogEntry.objects.all(), ("object_repr", "change_message"), words)


def sessions(words: Words) -> int:
    return delete_where(Session.objects.all(), _held, words)


def _held(session: Session) -> dict[str, Any]:
    return {name: value for name, value in session.get_decoded().items() if name not in SIGN_IN}


def queue(words: Words) -> int:
    """Tasks that were done, and those that wait: a sweep finds what they were to wake somebody for."""
    done = delete_where(Task.objects.all(), lambda row: (row.name, row.args, row.kwargs, row.result), words)
    return done + delete_where(OrmQ.objects.all(), lambda row: row.task, words)


def kept_answers(words: Words) -> int:
    """Their headers are our own: a type, an address and the number of a version."""
    return erase_in(KeptAnswer.objects.all(), ("body",), words)


def jobs(words: Words) -> int:
    """A job that is writing a file has read what was there before, and need not have written it yet: it ends.

    So does one that waits, if it was to do something with the words: with others in their place it would do that.
    """
    _end(Job.objects.filter(state=Job.State.RUNNING).exclude(file_name=""), RUNNING_FILE)
    queued = Job.objects.filter(state=Job.State.QUEUED)
    waiting = [pk for pk, given in queued.values_list("pk", "arguments") if words.erased(given, cut=True) != given]
    _end(queued.filter(pk__in=waiting), QUEUED_WORDS)
    return erase_in(Job.objects.all(), JOB_TEXTS, words, cut=True)


def _end(found: "QuerySet[Job]", error: str) -> None:
    found.update(state=Job.State.FAILED, error=error, finished_at=clock.now())


def files(words: Words) -> int:
    """Uploads that wait for their import, and what jobs made, each deleted whole: who needs it can make it again.

    One that is too large to be searched while somebody waits is taken for holding the words.
    """
    folder = Path(settings.VAR_DIR) / "uploads"
    found = [path for path in folder.iterdir() if _holds(path, words)] if folder.exists() else []
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _holds(path: Path, words: Words) -> bool:
    found = path.stat()
    version = (path.name, found.st_mtime_ns, found.st_size)
    if version in words.clean:
        return False
    holds = found.st_size > SEARCHED_MOST or _is_in(path, words)
    if not holds:
        words.clean.add(version)
    return holds


def _is_in(path: Path, words: Words) -> bool:
    """An XLSX is a ZIP archive of XML; one that can't be looked into is taken for holding them."""
    if not zipfile.is_zipfile(path):
        return words.are_in(path.read_bytes().decode(errors="replace"))
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > SEARCHED_MOST:
                return True
            return any(words.are_in(archive.read(part).decode(errors="replace")) for part in parts)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return True
