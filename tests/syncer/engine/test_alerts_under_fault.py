"""Alerts when something fails: the mail server, the webhook, the worker; and when several send at once."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from syncer.engine.alerts import notify
from syncer.engine.alerts.notify import TRIES, send_alert, sweep
from syncer.models import Alert
from tests.flows.worker import ROOT, database_url
from tests.syncer.alerting import becomes_blocked, let_time_pass, outcomes, recovers, work
from tests.syncer.support import started
from tools.lifeline import tied
from tools.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "s3cret-password"


# --- what fails ------------------------------------------------------------------------------------------------------
def test_a_mail_server_that_is_down_is_tried_again_and_the_webhook_is_not(target, mail, hook, settings):
    settings.EMAIL_PORT = free_port()
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "open")]
    alert = Alert.objects.get()
    assert alert.error == "The mail server can't be reached (Connection refused)."
    assert (alert.tries, alert.mailed_at, alert.posted_at is None) == (1, None, False)
    assert sweep() == 0, "the next try waits"
    settings.EMAIL_PORT = mail.port
    assert outcomes() == [("unhealthy", "notified")]
    assert (len(mail.messages), len(hook.posts), Alert.objects.get().error) == (1, 1, "")


def test_a_webhook_that_fails_is_tried_again_under_its_id_and_the_mail_is_not(target, mail, hook):
    hook.statuses = [500, 302, 410]
    becomes_blocked(target)
    errors = []
    for _ in range(3):
        outcomes()
        errors.append(Alert.objects.get().error)
    assert errors == [f"The webhook answered {status}." for status in (500, 302, 410)]
    assert outcomes() == [("unhealthy", "notified")]
    assert (len(hook.ids), len(set(hook.ids)), len(mail.messages)) == (4, 1, 1)


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ({"RCPT": "550 nobody"}, "The mail server refused every address of ALERT_EMAILS."),
        ({"DATA": "451 later"}, "The mail server answered 451."),
        ({"DATA": ""}, "The mail server closed the connection."),
        ({"AUTH": "535 no"}, "The mail server refused the user name or the password (535)."),
        ({"EHLO": "250 test"}, "The mail server failed (SMTPNotSupportedError)."),
    ],
    ids=["no such person", "later", "hangs up", "sign-in", "no sign-in"],
)
def test_a_mail_server_that_refuses_is_named_with_what_it_did(target, mail, settings, says, error):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "store", PASSWORD
    mail.says = says
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "open")]
    assert Alert.objects.get().error == error
    mail.says = {}
    assert outcomes() == [("unhealthy", "notified")]
    assert set(mail.signed_in) <= {f"store:{PASSWORD}"}


def test_a_password_that_can_not_be_sent_is_said_to_be_one(target, mail, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "store", "naïve"
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "open")]
    assert "holds a letter beyond ASCII" in Alert.objects.get().error


def test_an_answer_that_is_lost_repeats_the_mail_under_its_id(target, mail):
    mail.says = {".": ""}
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "open")]
    mail.says = {}
    assert outcomes() == [("unhealthy", "notified")]
    assert len(mail.ids) == 2
    assert len(set(mail.ids)) == 1


def test_two_alerts_have_ids_of_their_own(target, mail, hook):
    becomes_blocked(target)
    outcomes()
    recovers(target)
    outcomes()
    assert (len(set(mail.ids)), len(set(hook.ids))) == (2, 2)


def test_healthy_again_is_not_sent_before_unhealthy(target, mail, hook):
    hook.statuses = [500, 500]
    becomes_blocked(target)
    outcomes()
    recovers(target)
    Alert.objects.filter(kind="healthy").update(not_before=F("not_before") - timedelta(days=1))
    sweep()
    work()
    well = Alert.objects.get(kind="healthy")
    assert (well.outcome, well.mailed_at is None, well.posted_at) == ("open", False, None)
    assert well.error == "The webhook has not taken the alert before this one."
    hook.statuses = []
    while Alert.objects.filter(outcome="open"):
        outcomes()
    assert [json.loads(body)["type"] for _, body in hook.posts] == [
        "target.unhealthy",
        "target.unhealthy",
        "target.healthy",
    ]
    assert len(mail.messages) == 2


def test_an_alert_that_can_not_be_sent_is_given_up_and_says_so(target, mail, settings, caplog):
    settings.EMAIL_PORT = free_port()
    becomes_blocked(target)
    Alert.objects.update(tries=TRIES - 2)
    assert outcomes() == [("unhealthy", "open")]
    assert outcomes() == [("unhealthy", "given up")]
    assert Alert.objects.get().error == "The mail server can't be reached (Connection refused)."
    assert f"is given up after {TRIES} tries" in caplog.text
    assert outcomes() == [("unhealthy", "given up")]


def test_what_ends_its_worker_each_time_is_given_up_too(target, mail):
    becomes_blocked(target)
    Alert.objects.update(tries=TRIES)
    assert outcomes() == [("unhealthy", "given up")]
    assert Alert.objects.get().error == notify.ENDED
    assert not mail.messages


# --- whatever dies, on however many hosts ----------------------------------------------------------------------------
class Held:
    """Answers nothing until the test lets it."""

    def __init__(self) -> None:
        self.arrived, self.go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.arrived.set()
        self.go.wait(30)


def killed_while(held: Held, mail: Any, **environment: str) -> None:
    """Send in a process of its own, which is killed while it waits for the answer that is held."""
    pk = Alert.objects.get().pk
    code = f"import django; django.setup(); from syncer.engine.alerts.notify import send_alert; send_alert({pk}, 0)"
    own = {
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
        "ALERT_EMAILS": "ops@example.com",
    }
    process = subprocess.Popen(**tied([sys.executable, "-c", code]), cwd=ROOT, env={**os.environ, **own, **environment})
    try:
        assert held.arrived.wait(30)
    finally:
        process.kill()
        process.wait()
        held.go.set()


def test_a_worker_that_dies_after_it_sent_is_repeated_under_the_same_id(target, mail):
    mail.arrived = held = Held()
    becomes_blocked(target)
    killed_while(held, mail, DEFAULT_FROM_EMAIL="store@example.com")
    assert sweep() == 0, "its lease lasts"
    assert outcomes() == [("unhealthy", "notified")]
    assert len(mail.ids) == 2
    assert len(set(mail.ids)) == 1


def test_a_worker_that_dies_after_it_posted_is_repeated_under_the_same_id_and_mails_nothing_again(target, mail, hook):
    hook.arrived = held = Held()
    becomes_blocked(target)
    killed_while(held, mail, ALERT_WEBHOOK_URL=hook.url)
    assert outcomes() == [("unhealthy", "notified")]
    assert (len(hook.ids), len(set(hook.ids)), len(mail.messages)) == (2, 1, 1)


def test_a_lost_task_costs_a_lease(target, mail):
    becomes_blocked(target)
    assert sweep() == 1
    OrmQ.objects.all().delete()
    assert sweep() == 0
    assert outcomes() == [("unhealthy", "notified")]


def test_a_task_that_comes_twice_or_late_sends_nothing(target, mail):
    becomes_blocked(target)
    outcomes()
    send_alert(Alert.objects.get().pk, 0)
    Alert.objects.update(outcome="open", mailed_at=None)
    send_alert(Alert.objects.get().pk, 0)
    assert len(mail.messages) == 1


def meanwhile(**columns: Any) -> Callable[[], None]:
    """Another connection writes the row."""

    def write() -> None:
        Alert.objects.update(**columns)
        connection.close()

    return write


def test_a_late_worker_closes_nothing(target, mail):
    """It was taken over from while it waited for the mail server, whose answer was no."""
    becomes_blocked(target)
    mail.says = {".": "451 later"}
    mail.arrived = meanwhile(tries=2)
    let_time_pass()
    sweep()
    before = Alert.objects.get().not_before
    work()
    alert = Alert.objects.get()
    assert (alert.tries, alert.error) == (2, "")
    assert alert.not_before > before, "the successor's lease"


def test_nothing_is_locked_while_it_is_sent(target, mail):
    mail.arrived = meanwhile(reason="edited meanwhile")
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "notified")]
    assert Alert.objects.get().reason == "edited meanwhile"


def at_once(number, do):
    """`do` in so many threads that begin together."""
    start = threading.Barrier(number)
    for thread in [started(lambda: (start.wait(10), do())) for _ in range(number)]:
        thread.join(120)


@pytest.mark.postgres
def test_of_several_hosts_one_queues_a_task_and_of_several_workers_one_sends(target, mail, hook):
    for _ in range(10):
        becomes_blocked(target)
        at_once(4, sweep)
        assert OrmQ.objects.count() == 1
        (row,) = OrmQ.objects.all()
        row.delete()
        at_once(4, lambda: send_alert(*row.task["args"]))  # noqa: B023 - done before the next turn
        recovers(target)
        Alert.objects.filter(outcome="open").update(outcome="cleared")
    assert (len(mail.messages), len(hook.posts)) == (10, 10)


def test_looking_for_what_is_due_is_one_query_where_nothing_is(target, django_assert_num_queries):
    becomes_blocked(target)
    outcomes()
    with django_assert_num_queries(1):
        assert sweep() == 0


def test_what_is_older_than_ninety_days_goes_with_the_next_one(target):
    becomes_blocked(target)
    outcomes()
    Alert.objects.update(at=timezone.now() - timedelta(days=91))
    recovers(target)
    assert outcomes() == [("healthy", "no channel")]
