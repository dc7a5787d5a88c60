"""What operators are told of targets: once each, whatever dies, by a real mail server and a real webhook."""

import base64
import hashlib
import hmac
import json
import logging
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
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from backoffice.kit.http import Request
from content.news.models import Post
from syncer import notify
from syncer.core.answers import classify
from syncer.core.decide import Action
from syncer.delivery.send import Sender
from syncer.health import is_well, went_bad
from syncer.models import Notice, Target
from syncer.notify import TRIES, sweep, tell
from tests.content.pages import administrator, sign_in
from tests.flows.wait import until
from tests.flows.worker import ROOT, Worker, database_url
from tests.postgres import free_port
from tests.remote import Fault
from tests.syncer.receivers import hook as webhook
from tests.syncer.receivers import mailbox

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "s3cret-password"
KEY = base64.b64encode(b"0123456789" * 3).decode()
REASON = "Fake API refused the connection"
PAUSE = "Fake API answered 401"


@pytest.fixture
def mail(settings):
    """Operators are told by e-mail."""
    with mailbox() as box:
        settings.ALERT_EMAILS = ["ops@example.com", "night@example.com"]
        settings.DEFAULT_FROM_EMAIL = "Store <store@example.com>"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield box


@pytest.fixture
def hook(settings):
    """Operators are told by a webhook."""
    with webhook() as hook:
        settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_ALLOW_PRIVATE = hook.url, True
        settings.ALERT_WEBHOOK_SECRET = f"whsec_{KEY}"
        yield hook


def breaks(target, why=REASON):
    """Its circuit opens."""
    now = timezone.now()
    Target.objects.filter(pk=target.pk).update(opened_at=now)
    went_bad(target, why, now=now)


def pauses(target, why=PAUSE):
    now = timezone.now()
    Target.objects.filter(pk=target.pk).update(paused=why)
    went_bad(target, why, now=now)


def mends(target):
    Target.objects.filter(pk=target.pk).update(opened_at=None, paused="")
    is_well(target, now=timezone.now())


def let_time_pass():
    """As if every wait were over."""
    Notice.objects.update(not_before=F("not_before") - timedelta(days=1))


def work() -> int:
    """Do what the queue was asked for; how many tasks that were."""
    tasks = list(OrmQ.objects.order_by("pk"))
    for row in tasks:
        row.delete()
        tell(*row.task["args"])
    return len(tasks)


def told():
    """One look for what is due, after every wait, and what came of it."""
    let_time_pass()
    sweep()
    work()
    return list(Notice.objects.order_by("pk").values_list("kind", "outcome"))


# --- what is told ----------------------------------------------------------------------------------------------------
def test_a_target_that_goes_bad_is_told_once_by_each_channel_and_once_more_when_it_is_well(target, mail, hook):
    pauses(target)
    assert told() == [("bad", "told")]
    pauses(target)
    assert told() == [("bad", "told")]
    mends(target)
    assert told() == [("bad", "told"), ("well", "told")]
    assert [message["Subject"] for message in mail.messages] == [
        "[test] Fake API is not well",
        "[test] Fake API is well again",
    ]
    assert [json.loads(body)["type"] for _, body in hook.posts] == ["target.bad", "target.well"]
    assert not Notice.objects.filter(mailed_at=None) | Notice.objects.filter(posted_at=None)


def test_an_email_says_what_happened_why_what_is_kept_and_what_to_do(target, mail, settings):
    settings.NODE_URL = "https://backoffice.example.com"
    pauses(target)
    told()
    (message,) = mail.messages
    text = message.get_content()
    assert f"Fake API is not well, since {Notice.objects.get().at:%Y-%m-%d %H:%M:%S} UTC." in text
    assert "Why: Fake API answered 401" in text
    assert "Nothing is lost: 0 objects wait to be sent, and later changes are kept too." in text
    assert "Nothing is sent to it until a person has put that right" in text
    assert f"The target's page: https://backoffice.example.com/admin/syncer/target/{target.pk}/change/" in text
    assert (message["To"], message["From"]) == ("ops@example.com, night@example.com", "Store <store@example.com>")
    assert message["Auto-Submitted"] == "auto-generated"


def test_an_email_about_a_circuit_says_that_it_goes_on_by_itself_and_the_next_one_how_long_it_was(target, mail):
    breaks(target)
    told()
    assert "It is tried again by itself" in mail.messages[0].get_content()
    mends(target)
    told()
    began = Notice.objects.get(kind="bad").at
    assert f"It was not well since {began:%Y-%m-%d %H:%M:%S} UTC: {REASON}" in mail.messages[1].get_content()


def test_a_title_of_several_lines_can_not_write_headers(target, mail):
    Target.objects.update(title="Fake\r\nBcc: somebody@example.com")
    pauses(Target.objects.get())
    assert told() == [("bad", "told")]
    assert mail.messages[0]["Subject"] == "[test] Fake Bcc: somebody@example.com is not well"
    assert mail.messages[0]["Bcc"] is None


def test_the_webhook_gets_what_happened_signed_by_its_secret(target, hook):
    pauses(target)
    told()
    ((headers, body),) = hook.posts
    at = Notice.objects.get().at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert json.loads(body) == {
        "type": "target.bad",
        "timestamp": at,
        "data": {
            "node": "test",
            "target": "fakeapi",
            "title": "Fake API",
            "reason": PAUSE,
            "since": at,
            "pending": 0,
            "url": f"/admin/syncer/target/{target.pk}/change/",
        },
    }
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(KEY), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert headers["content-type"] == "application/json"


def test_without_anybody_to_tell_the_log_and_the_list_have_it(target, caplog):
    pauses(target)
    assert told() == [("bad", "nobody")]
    assert f"Fake API is not well: {PAUSE}" in caplog.messages


def test_a_real_worker_tells(target, mail):
    pauses(target)
    with Worker(EMAIL_URL=f"smtp://127.0.0.1:{mail.port}", ALERT_EMAILS="ops@example.com"):
        until(lambda: Notice.objects.get().outcome == "told", seconds=30)
    assert len(mail.messages) == 1


# --- what is not worth telling ---------------------------------------------------------------------------------------
def test_what_is_over_before_it_lasted_is_told_to_nobody(target, mail):
    breaks(target)
    assert sweep() == 0
    mends(target)
    assert told() == [("bad", "over"), ("well", "over")]
    assert not mail.messages


def test_a_target_that_was_told_as_bad_and_is_bad_again_at_once_is_not_told_again(target, mail):
    breaks(target)
    told()
    mends(target)
    breaks(target)
    assert told() == [("bad", "told"), ("well", "over"), ("bad", "over")]
    mends(target)
    assert told()[-1] == ("well", "told")
    assert len(mail.messages) == 2


def test_a_pause_is_told_at_once(target, mail):
    pauses(target)
    assert sweep() == 1


def test_a_pause_is_told_even_where_operators_know_of_an_outage_that_seemed_over(target, mail):
    breaks(target)
    told()
    mends(target)
    pauses(target)
    assert told() == [("bad", "told"), ("well", "over"), ("bad", "told")]


def test_an_outage_that_becomes_a_pause_before_it_is_told_is_told_at_once_as_that(target, mail):
    breaks(target)
    pauses(target)
    assert sweep() == 1
    work()
    assert Notice.objects.get().reason == PAUSE


def test_a_target_that_flaps_is_told_of_ever_more_rarely(target, mail, settings):
    settings.ALERT_AFTER_SECONDS = 30
    waits = []
    for _ in range(9):
        breaks(target)
        notice = Notice.objects.filter(kind="bad").latest("pk")
        waits.append((notice.not_before - notice.at).total_seconds())
        told()
        mends(target)
        told()
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_without_a_wait_everything_is_told_at_once(target, mail, settings):
    settings.ALERT_AFTER_SECONDS = 0
    breaks(target)
    assert sweep() == 1


# --- what fails ------------------------------------------------------------------------------------------------------
def test_a_mail_server_that_is_down_is_tried_again_and_the_webhook_is_not(target, mail, hook, settings):
    settings.EMAIL_PORT = free_port()
    pauses(target)
    assert told() == [("bad", "open")]
    notice = Notice.objects.get()
    assert notice.error == "The mail server can't be reached (Connection refused)."
    assert (notice.tries, notice.mailed_at, notice.posted_at is None) == (1, None, False)
    assert sweep() == 0, "the next try waits"
    settings.EMAIL_PORT = mail.port
    assert told() == [("bad", "told")]
    assert (len(mail.messages), len(hook.posts), Notice.objects.get().error) == (1, 1, "")


def test_a_webhook_that_fails_is_tried_again_under_its_id_and_the_mail_is_not(target, mail, hook):
    hook.statuses = [500, 302, 410]
    pauses(target)
    errors = []
    for _ in range(3):
        told()
        errors.append(Notice.objects.get().error)
    assert errors == [f"The webhook answered {status}." for status in (500, 302, 410)]
    assert told() == [("bad", "told")]
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
    pauses(target)
    assert told() == [("bad", "open")]
    assert Notice.objects.get().error == error
    mail.says = {}
    assert told() == [("bad", "told")]
    assert set(mail.signed_in) <= {f"store:{PASSWORD}"}


def test_a_password_that_can_not_be_sent_is_said_to_be_one(target, mail, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "store", "naïve"
    pauses(target)
    assert told() == [("bad", "open")]
    assert "holds a letter beyond ASCII" in Notice.objects.get().error


def test_an_answer_that_is_lost_repeats_the_mail_under_its_id(target, mail):
    mail.says = {".": ""}
    pauses(target)
    assert told() == [("bad", "open")]
    mail.says = {}
    assert told() == [("bad", "told")]
    assert len(mail.ids) == 2
    assert len(set(mail.ids)) == 1


def test_two_notices_have_ids_of_their_own(target, mail, hook):
    pauses(target)
    told()
    mends(target)
    told()
    assert (len(set(mail.ids)), len(set(hook.ids))) == (2, 2)


def test_well_again_is_not_told_before_not_well(target, mail, hook):
    hook.statuses = [500, 500]
    pauses(target)
    told()
    mends(target)
    Notice.objects.filter(kind="well").update(not_before=F("not_before") - timedelta(days=1))
    sweep()
    work()
    well = Notice.objects.get(kind="well")
    assert (well.outcome, well.mailed_at is None, well.posted_at) == ("open", False, None)
    assert well.error == "The webhook has not taken the notice before this one."
    hook.statuses = []
    while Notice.objects.filter(outcome="open"):
        told()
    assert [json.loads(body)["type"] for _, body in hook.posts] == ["target.bad", "target.bad", "target.well"]
    assert len(mail.messages) == 2


def test_what_can_not_be_told_is_given_up_and_says_so(target, mail, settings, caplog):
    settings.EMAIL_PORT = free_port()
    pauses(target)
    Notice.objects.update(tries=TRIES - 2)
    assert told() == [("bad", "open")]
    assert told() == [("bad", "given up")]
    assert Notice.objects.get().error == "The mail server can't be reached (Connection refused)."
    assert f"is given up after {TRIES} tries" in caplog.text
    assert told() == [("bad", "given up")]


def test_what_ends_its_worker_each_time_is_given_up_too(target, mail):
    pauses(target)
    Notice.objects.update(tries=TRIES)
    assert told() == [("bad", "given up")]
    assert Notice.objects.get().error == notify.ENDED
    assert not mail.messages


# --- whatever dies, on however many hosts ----------------------------------------------------------------------------
def killed_while(arrives: "list[Callable[[], None]]", environment: dict[str, str]) -> None:
    """Tell in a process of its own, which is killed when `arrives[0]` is called."""
    arrived = threading.Event()
    arrives[0] = arrived.set
    pk = Notice.objects.get().pk
    code = f"import django; django.setup(); from syncer.notify import tell; tell({pk}, 0)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "backoffice.settings",
            "DATABASE_URL": database_url(),
            **environment,
        },
    )
    try:
        assert arrived.wait(30)
    finally:
        process.kill()
        process.wait()


class Held:
    """Answers nothing until the test lets it."""

    def __init__(self) -> None:
        self.arrives: list[Callable[[], None]] = [lambda: None]
        self.go = threading.Event()

    def __call__(self) -> None:
        self.arrives[0]()
        self.go.wait(30)


def test_a_worker_that_dies_after_it_sent_is_repeated_under_the_same_id(target, mail):
    mail.arrived = held = Held()
    pauses(target)
    environment = {"EMAIL_URL": f"smtp://127.0.0.1:{mail.port}", "ALERT_EMAILS": "ops@example.com"}
    killed_while(held.arrives, environment | {"DEFAULT_FROM_EMAIL": "store@example.com"})
    held.go.set()
    assert sweep() == 0, "its lease lasts"
    assert told() == [("bad", "told")]
    assert len(mail.ids) == 2
    assert len(set(mail.ids)) == 1


def test_a_worker_that_dies_after_it_posted_is_repeated_under_the_same_id_and_mails_nothing_again(target, mail, hook):
    hook.arrived = held = Held()
    pauses(target)
    environment = {"EMAIL_URL": f"smtp://127.0.0.1:{mail.port}", "ALERT_EMAILS": "ops@example.com"}
    killed_while(held.arrives, environment | {"ALERT_WEBHOOK_URL": hook.url, "ALERT_WEBHOOK_ALLOW_PRIVATE": "true"})
    held.go.set()
    assert told() == [("bad", "told")]
    assert (len(hook.ids), len(set(hook.ids)), len(mail.messages)) == (2, 1, 1)


def test_a_lost_wake_up_costs_a_lease(target, mail):
    pauses(target)
    assert sweep() == 1
    OrmQ.objects.all().delete()
    assert sweep() == 0
    assert told() == [("bad", "told")]


def test_a_wake_up_that_comes_twice_or_late_tells_nothing(target, mail):
    pauses(target)
    told()
    tell(Notice.objects.get().pk, 0)
    Notice.objects.update(outcome="open", mailed_at=None)
    tell(Notice.objects.get().pk, 0)
    assert len(mail.messages) == 1


def meanwhile(**columns: Any) -> Callable[[], None]:
    """Another connection writes the row."""

    def write() -> None:
        Notice.objects.update(**columns)
        connection.close()

    return write


def test_a_late_worker_closes_nothing(target, mail):
    """It was taken over from while it waited for the mail server, whose answer was no."""
    pauses(target)
    mail.says = {".": "451 later"}
    mail.arrived = meanwhile(tries=2)
    let_time_pass()
    sweep()
    before = Notice.objects.get().not_before
    work()
    notice = Notice.objects.get()
    assert (notice.tries, notice.error) == (2, "")
    assert notice.not_before > before, "the successor's lease"


def test_nothing_is_locked_while_it_is_sent(target, mail):
    mail.arrived = meanwhile(reason="edited meanwhile")
    pauses(target)
    assert told() == [("bad", "told")]
    assert Notice.objects.get().reason == "edited meanwhile"


def at_once(number, do):
    """`do` in so many threads that begin together."""
    start = threading.Barrier(number)

    def run():
        start.wait(10)
        try:
            do()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


@pytest.mark.postgres
def test_of_several_hosts_one_wakes_a_worker_and_of_several_workers_one_tells(target, mail, hook):
    for _ in range(10):
        pauses(target)
        at_once(4, sweep)
        assert OrmQ.objects.count() == 1
        (row,) = OrmQ.objects.all()
        row.delete()
        at_once(4, lambda: tell(*row.task["args"]))  # noqa: B023 - done before the next turn
        mends(target)
        Notice.objects.filter(outcome="open").update(outcome="over")
    assert (len(mail.messages), len(hook.posts)) == (10, 10)


def test_looking_for_what_is_due_is_one_query_where_nothing_is(target, django_assert_num_queries):
    pauses(target)
    told()
    with django_assert_num_queries(1):
        assert sweep() == 0


def test_what_is_older_than_ninety_days_goes_with_the_next_one(target):
    pauses(target)
    told()
    Notice.objects.update(at=timezone.now() - timedelta(days=91))
    mends(target)
    assert told() == [("well", "nobody")]


# --- what nobody should read -----------------------------------------------------------------------------------------
def test_no_secret_is_in_the_row_or_the_log_even_where_it_is_sent_back(target, mail, hook, settings, caplog):
    caplog.set_level(logging.INFO)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "store", PASSWORD
    mail.says = {"AUTH": f"535 {PASSWORD} is wrong"}
    hook.statuses, hook.body = [400], f"{settings.ALERT_WEBHOOK_SECRET} {hook.url}".encode()
    pauses(target)
    assert told() == [("bad", "open")]
    kept = f"{list(Notice.objects.values())} {caplog.text} {list(OrmQ.objects.values())}"
    assert [one for one in (PASSWORD, KEY, "s3cret-path") if one in kept] == []
    assert mail.signed_in == [f"store:{PASSWORD}"]


WRONG = [
    *({"kind": Fault.STATUS, "status": status} for status in (302, 401, 403, 408, 409, 422, 425, 429, 500, 503)),
    *({"kind": kind} for kind in (Fault.RESET, Fault.TRUNCATED, Fault.CUT, Fault.HTML, Fault.EMPTY, Fault.NO_ID)),
    {"kind": Fault.REDIRECT, "location": "http://127.0.0.1/private-words"},
]


@pytest.mark.parametrize("fault", WRONG, ids=lambda fault: f"{fault['kind'].name}-{fault.get('status', '')}")
def test_no_reason_quotes_what_a_target_answered(target, remote, fault):
    remote.fault(**{"body": {"title": "private-words"}, **fault})
    with Sender(target) as sender:
        request = Request(method="POST", url=f"{remote.url}/posts", body={"title": "private-words"})
        sent = sender._exchange(request, float("inf"))
    assert sent is not None
    verdict = classify(Action.CREATE, sent.exchange, now=timezone.now())
    assert verdict.why
    breaks(target, f"{target} {verdict.why}")
    assert "private-words" not in Notice.objects.get().reason


def test_what_a_target_answered_is_in_no_notice(target, remote, mail, hook, client):
    Post.objects.create(title="A", body="B")
    breaks(target, "Fake API answered 401: private-words in the answer")
    told()
    assert "private-words" not in f"{list(Notice.objects.values())}{mail.messages[0]}{hook.posts}"
    assert "answered 401" in mail.messages[0].get_content()


# --- the list --------------------------------------------------------------------------------------------------------
def test_the_list_shows_what_was_told_and_what_was_not(target, mail, settings):
    settings.EMAIL_PORT = free_port()
    pauses(target)
    told()
    page = administrator().get(reverse("admin:syncer_notice_changelist")).content.decode()
    for text in ("Not well", PAUSE, "To be told", "The mail server can&#x27;t be reached"):
        assert text in page
    one = administrator().get(reverse("admin:syncer_notice_change", args=[Notice.objects.get().pk]))
    assert PAUSE in one.content.decode()


def test_who_may_see_notices_sees_them_and_nobody_changes_them(target):
    pauses(target)
    pages = [
        reverse("admin:syncer_notice_changelist"),
        reverse("admin:syncer_notice_change", args=[Notice.objects.get().pk]),
    ]
    for right, status in {"syncer.view_notice": 200, "syncer.sync_target": 200, "news.view_post": 403}.items():
        client = sign_in(right, name=right)
        assert [client.get(page).status_code for page in pages] == [status, status]
    client = administrator()
    assert client.get(reverse("admin:syncer_notice_add")).status_code == 403
    assert client.post(pages[1], {"reason": "x"}).status_code == 403
    assert client.get(reverse("admin:syncer_notice_delete", args=[Notice.objects.get().pk])).status_code == 403
