"""A real worker, while errors of the program happen and operators can't be notified."""

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from syncer.models import Alert, Run, Target
from tests.flows.wait import until
from tests.flows.worker import Worker, database_url
from tests.planted.echo import TO_WRITES, Echo, said
from tests.planted.forms import FORMS
from tests.planted.planted import Planted
from tests.planted.targets import post, recover
from tests.syncer.receivers import Hook, Mailbox, hook, mailbox

# How a database refuses to keep attempts; PostgreSQL's error quotes the whole row.
REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER no BEFORE INSERT ON syncer_attempt BEGIN SELECT RAISE(ABORT, 'no more attempts'); END",
        "DROP TRIGGER no",
    ),
    "postgresql": (
        """CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no more attempts: %', NEW; END $$;
        CREATE TRIGGER no BEFORE INSERT ON syncer_attempt FOR EACH ROW EXECUTE FUNCTION no()""",
        "DROP TRIGGER no ON syncer_attempt; DROP FUNCTION no()",
    ),
}


def work(planted: Planted, target: Target, server: Echo, *, folder: Path) -> None:
    """Its runs end by an error of the program; then the target forbids, and mail server and webhook refuse."""
    recover(target)
    target.routes.update(trigger="change")
    with mailbox() as box, hook() as posted:
        environment = settings_of(planted, box, posted, folder=folder)
        server.answer = said("as it is")
        with attempts_refused(), Worker(**environment) as worker:
            post("by a worker")
            until(lambda: Run.objects.filter(message__startswith="An error in the program"))
        server.answer = TO_WRITES["forbidden"]
        last = Run.objects.latest("pk").pk
        with worker:
            recover(target)
            post("by a worker, again")
            until(lambda: Run.objects.filter(pk__gt=last, message__contains="answered 403"))
            until(lambda: Alert.objects.exclude(error="") and posted.posts)
        assert "no more attempts" in worker.log.read_text()
        assert box.signed_in
        for headers, content in posted.posts:
            planted.hear("a webhook", f"{headers} {content!r}")


def settings_of(planted: Planted, box: Mailbox, posted: Hook, *, folder: Path) -> dict[str, str]:
    """Its environment, with a secret wherever there is one, for others that send it back."""
    mail, key = planted.secret("the mail server's password"), secrets.token_bytes(24)
    webhook = b64encode(key).decode()
    planted.cores |= {"the webhook's secret": webhook, "the webhook's address": "s3cret-path"}
    box.says["AUTH"] = f"535 You said {mail}"
    posted.statuses, posted.body = [500] * 3, f"{webhook} {posted.url}".encode()
    return {
        "LOG_LEVEL": "DEBUG",
        "SYNC_LEASE_SECONDS": "1",
        "SECRET_REFERENCE_FOLDERS": str(folder),
        "DATABASE_URL": with_password(database_url(), planted.word("the database's password")),
        "EMAIL_URL": f"smtp://editor:{FORMS['in an address'](mail)}@127.0.0.1:{box.port}",
        "ALERT_EMAILS": "operators@example.com",
        "ALERT_WEBHOOK_URL": posted.url,
        "ALERT_WEBHOOK_SECRET": f"whsec_{webhook}",
        "ALERT_AFTER_SECONDS": "0",
    }


def with_password(url: str, password: str) -> str:
    """The database's address with a password, which a server that trusts us does not ask for."""
    parts = urlsplit(url)
    if not parts.hostname:
        return url
    place = f"{parts.username}:{password}@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=place).geturl()


@contextmanager
def attempts_refused() -> Iterator[None]:
    """Let the database refuse to keep attempts, and quote what they hold: an error of the program, in a run."""
    refuse, allow = REFUSALS[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(refuse)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(allow)
