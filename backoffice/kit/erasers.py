"""The erasers of the stores that came with the house's parts; see `backoffice.kit.erasure`."""

import zipfile
from pathlib import Path

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django_q.models import OrmQ, Task

from backoffice.kit.erasure import Words, delete_where, erase_in
from backoffice.kit.idempotency.models import KeptAnswer
from backoffice.kit.jobs.models import Job

JOB_TEXTS = ("title", "arguments", "problems", "result", "error", "reason", "file_name")
UNPACKED_MOST = 200 * 1024 * 1024  # bytes


def log(words: Words) -> int:
    return erase_in(LogEntry.objects.all(), ("object_repr", "change_message"), words)


def sessions(words: Words) -> int:
    return delete_where(Session.objects.all(), lambda row: row.get_decoded(), words)


def queue(words: Words) -> int:
    """Tasks that were done, and those that wait: a sweep finds what they were to wake somebody for."""
    done = delete_where(Task.objects.all(), lambda row: (row.name, row.args, row.kwargs, row.result), words)
    return done + delete_where(OrmQ.objects.all(), lambda row: row.task, words)


def kept_answers(words: Words) -> int:
    return erase_in(KeptAnswer.objects.all(), ("headers", "body"), words)


def jobs(words: Words) -> int:
    return erase_in(Job.objects.all(), JOB_TEXTS, words, cut=True)


def files(words: Words) -> int:
    """Uploads that wait for their import, and what jobs made, each deleted whole: who needs it can make it again."""
    folder = Path(settings.VAR_DIR) / "uploads"
    found = [path for path in folder.iterdir() if _holds(path, words)] if folder.exists() else []
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _holds(path: Path, words: Words) -> bool:
    """An XLSX is a ZIP archive of XML; one that can't be looked into is taken for holding them."""
    if not zipfile.is_zipfile(path):
        return words.are_in(path.read_bytes().decode(errors="replace"))
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > UNPACKED_MOST:
                return True
            return any(words.are_in(archive.read(part).decode(errors="replace")) for part in parts)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return True
