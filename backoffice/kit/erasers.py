"""Erasers of the stores of Django, django-q2 and `backoffice.kit`; see `backoffice.kit.erasure`."""

import zipfile
from pathlib import Path

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db.models import QuerySet
from django_q.models import OrmQ, Task

from backoffice.kit import clock
from backoffice.kit.erasure import Words, delete_where, erase_in
from backoffice.kit.idempotency.models import KeptAnswer
from backoffice.kit.jobs.models import Job
from backoffice.kit.phrases import phrase
from backoffice.kit.sessions.models import Session

JOB_TEXTS = ("title", "arguments", "problems", "result", "error", "reason", "request_id", "file_name")
RUNNING_FILE = phrase("A person's words were erased while the file was being written; start it again.")
QUEUED_WORDS = phrase("A person's words were erased from what it was to do; start it again.")
SIGN_IN = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)  # the keys that Django's sign-in adds to a session
SEARCHED_MOST = 20 * 1024 * 1024  # bytes of a file, unpacked; about five seconds


def log(words: Words) -> int:
    return erase_in(LogEntry.objects.all(), ("object_repr", "change_message"), words)


def sessions(words: Words) -> int:
    def data(session: Session) -> dict[str, object]:
        own = {name: value for name, value in session.get_decoded().items() if name not in SIGN_IN}
        return own | {"agent": session.agent}

    return delete_where(Session.objects.all(), data, words)


def queue(words: Words) -> int:
    """Delete finished and waiting tasks; the sweep finds the work that the latter would have woken a worker for."""
    done = delete_where(Task.objects.all(), lambda row: (row.name, row.args, row.kwargs, row.result), words)
    return done + delete_where(OrmQ.objects.all(), lambda row: row.task, words)


def kept_answers(words: Words) -> int:
    """Erase from the bodies alone: the headers are our own, a type, an address and the number of a version."""
    return erase_in(KeptAnswer.objects.all(), ("body",), words)


def jobs(words: Words) -> int:
    """End the jobs that could bring the words back, and erase the words from all.

    A job that is writing a file has read the old data, perhaps without having written it yet. A queued job whose
    arguments hold the words would run with the replacement in their place.
    """

    def end(rows: "QuerySet[Job]", error: str) -> None:
        rows.update(state=Job.State.FAILED, error=error, finished_at=clock.now())

    end(Job.objects.filter(state=Job.State.RUNNING).exclude(file_name=""), RUNNING_FILE)
    queued = Job.objects.filter(state=Job.State.QUEUED)
    arguments = queued.values_list("pk", "arguments")
    affected = [pk for pk, value in arguments if words.erased(value, cut=True) != value]
    end(queued.filter(pk__in=affected), QUEUED_WORDS)
    return erase_in(Job.objects.all(), JOB_TEXTS, words, cut=True)


def files(words: Words) -> int:
    """Delete uploads and files made by jobs that hold the words, each as a whole: they can be made again.

    A file that is too large to search while a person waits counts as holding them.
    """
    folder = Path(settings.VAR_DIR) / "uploads"
    deleted = 0
    for path in [*folder.iterdir()] if folder.exists() else []:
        status = path.stat()
        version = (path.name, status.st_mtime_ns, status.st_size)
        if version in words.clean:
            continue
        if status.st_size <= SEARCHED_MOST and not _are_in(path, words):
            words.clean.add(version)
            continue
        path.unlink(missing_ok=True)
        deleted += 1
    return deleted


def _are_in(path: Path, words: Words) -> bool:
    """Return whether a file holds the words. XLSX is a ZIP archive of XML; a broken archive counts as holding them."""
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
