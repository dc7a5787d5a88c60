"""Lets every store of the program hold the words of one client."""

from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone
from django_q.models import Task
from django_q.tasks import async_task

from backoffice.accounts.models import User
from backoffice.kit import waiting_files
from backoffice.kit.jobs.service import start, work_here
from backoffice.kit.sessions.models import Session
from backoffice.kit.sessions.store import SessionStore
from content.messaging.models import Message
from syncer.engine.runs import run_here
from syncer.models import Target
from tests.content.files import table, workbook
from tests.content.messaging.support import BOT, CONVERSATION
from tests.remote import Fault, Remote

CLIENT = "walrus/4711 é"
TEXTS = ("My blue umbrella\nis “lost”.", "It stood by the third door; 100% sure.", "Where is it?")
WORDS = (CLIENT, *TEXTS, "blue umbrella", "by the third door")
WORK = "tests.content.messaging.works.fail_with"
PLANTED = (
    "table messaging_message", "table messaging_historicalmessage", "table syncer_binding", "table syncer_attempt",
    "table syncer_run", "table syncer_target", "table idempotency_keptanswer", "table jobs_job",
    "table django_admin_log", "sessions", "tasks", "queue", "file uploads",
)  # fmt: skip


def plant(remote: Remote, target: Target) -> None:
    """Beside the messages: syncs that fail and one that succeeds, a deleted message, a job, files, tasks, a session."""
    sync_badly(remote, target)
    wait_to_be_imported()
    job = start(WORK, user=None, title=f"About {CLIENT}", arguments={"text": TEXTS[1]})
    work_here(job)
    async_task(WORK, CLIENT)
    now = timezone.now()
    Task.objects.create(id="1", name="a", func=WORK, started=now, stopped=now, result=f"DETAIL: ({TEXTS[1]})")
    session = SessionStore()
    session["last"] = [CLIENT]
    session.save()
    Session.objects.create(family=uuid4(), expire_date=now, agent=f"{CLIENT}/1.0")
    said = {"object_repr": TEXTS[0], "change_message": f"[{CLIENT}]"}
    user = User.objects.create_superuser("administrator")
    LogEntry.objects.create(user=user, object_id="1", action_flag=CHANGE, **said)


def sync_badly(remote: Remote, target: Target) -> None:
    """One create is refused, one is not answered, and one message is deleted after it was sent."""
    why = {"why": f"{CLIENT} said {TEXTS[0]}"}
    remote.fault(Fault.STATUS, method="POST", path="/messages", status=429, body=why)
    run_here(target)
    Target.objects.update(not_before=None)
    remote.fault(Fault.RESET, method="POST", path="/messages", act=True)
    run_here(target)
    Message.objects.filter(text=TEXTS[2]).delete()
    run_here(target)
    Target.objects.update(blocked=f"remote answered 403: {CLIENT} may not")


def wait_to_be_imported() -> None:
    rows = [
        ["bot", "direction", "client", "conversation", "timestamp", "text"],
        [str(BOT), "to", CLIENT, str(CONVERSATION), "2026-01-05T08:00:00Z", TEXTS[1]],
    ]
    for data in (table(*rows).encode(), workbook(*rows), b"somebody else, something else"):
        waiting_files.path(waiting_files.new()).write_bytes(data)
