"""What operators are notified of: each change once, by a real mail server and a real webhook."""

import base64
import hashlib
import hmac
import json
import logging

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from standardwebhooks import Webhook

from backoffice.kit.http import Request
from syncer.core.decide import Action
from syncer.core.outcome import classify
from syncer.engine.alerts.notify import sweep
from syncer.engine.sender import Sender
from syncer.models import Alert, Target
from tests.content.pages import administrator, sign_in
from tests.flows.wait import until
from tests.flows.worker import Worker
from tests.remote import Fault
from tests.syncer.alerting import BLOCK, REASON, becomes_blocked, becomes_unreachable, outcomes, recovers, work
from tests.syncer.conftest import HOOK_KEY, sync, sync_automatically
from tests.syncer.support import let_time_pass as let_every_wait_end
from tools.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "s3cret-password"


# --- what is sent ----------------------------------------------------------------------------------------------------
def test_each_channel_notifies_once_of_an_unhealthy_target_and_once_when_it_is_healthy_again(target, mail, hook):
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "notified")]
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "notified")]
    recovers(target)
    assert outcomes() == [("unhealthy", "notified"), ("healthy", "notified")]
    assert [message["Subject"] for message in mail.messages] == [
        "[test] Fake API is unhealthy",
        "[test] Fake API is healthy again",
    ]
    assert [json.loads(body)["type"] for _, body in hook.posts] == ["target.unhealthy", "target.healthy"]
    assert not Alert.objects.filter(mailed_at=None) | Alert.objects.filter(posted_at=None)


def test_an_email_says_what_happened_why_what_is_kept_and_what_to_do(target, mail, settings):
    settings.NODE_URL = "https://backoffice.example.com"
    becomes_blocked(target)
    outcomes()
    (message,) = mail.messages
    text = message.get_content()
    assert f"Fake API is unhealthy, since {Alert.objects.get().at:%Y-%m-%d %H:%M:%S} UTC." in text
    assert "Why: Fake API answered 401" in text
    assert "Nothing is lost: 0 objects wait to be sent, and later changes are kept too." in text
    assert "Nothing is sent to it until a person has fixed that" in text
    assert f"The target's page: https://backoffice.example.com/admin/syncer/target/{target.pk}/change/" in text
    assert (message["To"], message["From"]) == ("ops@example.com, night@example.com", "Store <store@example.com>")
    assert message["Auto-Submitted"] == "auto-generated"


def test_an_email_about_a_circuit_says_that_it_is_retried_and_the_next_one_since_when_it_was_unhealthy(target, mail):
    becomes_unreachable(target)
    outcomes()
    assert "It is retried automatically" in mail.messages[0].get_content()
    recovers(target)
    outcomes()
    began = Alert.objects.get(kind="unhealthy").at
    assert f"It was unhealthy since {began:%Y-%m-%d %H:%M:%S} UTC: {REASON}" in mail.messages[1].get_content()


def test_an_email_about_a_target_that_a_person_paused_meanwhile_says_so(target, mail):
    becomes_blocked(target)
    Target.objects.update(enabled=False)
    outcomes()
    assert "It is paused by now." in mail.messages[0].get_content()


def test_a_title_of_several_lines_can_not_write_headers(target, mail):
    Target.objects.update(title="Fake\r\nBcc: somebody@example.com")
    becomes_blocked(Target.objects.get())
    assert outcomes() == [("unhealthy", "notified")]
    assert mail.messages[0]["Subject"] == "[test] Fake Bcc: somebody@example.com is unhealthy"
    assert mail.messages[0]["Bcc"] is None


def test_the_webhook_gets_what_happened_signed_by_its_secret(target, hook):
    becomes_blocked(target)
    outcomes()
    ((headers, body),) = hook.posts
    at = Alert.objects.get().at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert json.loads(body) == {
        "type": "target.unhealthy",
        "timestamp": at,
        "data": {
            "node": "test",
            "target": "fakeapi",
            "title": "Fake API",
            "reason": BLOCK,
            "since": at,
            "pending": 0,
            "url": f"/admin/syncer/target/{target.pk}/change/",
        },
    }
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(HOOK_KEY), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert headers["content-type"] == "application/json"
    assert Webhook(f"whsec_{HOOK_KEY}").verify(body, headers) == json.loads(body)  # its time is now, too


def test_without_a_secret_the_webhook_gets_an_id_and_a_time_but_no_signature(target, hook, settings):
    settings.ALERT_WEBHOOK_SECRET = ""
    becomes_blocked(target)
    outcomes()
    ((headers, _),) = hook.posts
    assert {name for name in headers if name.startswith("webhook-")} == {"webhook-id", "webhook-timestamp"}


def test_without_anybody_to_notify_the_log_and_the_list_have_it(target, caplog):
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "no channel")]
    assert f"Fake API is unhealthy: {BLOCK}" in caplog.messages


@pytest.mark.slow
def test_a_real_worker_notifies(target, mail):
    becomes_blocked(target)
    with Worker(EMAIL_URL=f"smtp://127.0.0.1:{mail.port}", ALERT_EMAILS="ops@example.com"):
        until(lambda: Alert.objects.get().outcome == "notified")
    assert len(mail.messages) == 1


# --- what is not worth sending ---------------------------------------------------------------------------------------
def test_nobody_is_notified_of_what_is_over_before_it_lasted(target, mail):
    becomes_unreachable(target)
    assert sweep() == 0
    recovers(target)
    assert outcomes() == [("unhealthy", "cleared"), ("healthy", "cleared")]
    assert not mail.messages


def test_a_target_that_is_known_to_be_unhealthy_and_is_so_again_at_once_causes_no_second_alert(target, mail):
    becomes_unreachable(target)
    outcomes()
    recovers(target)
    becomes_unreachable(target)
    assert outcomes() == [("unhealthy", "notified"), ("healthy", "cleared"), ("unhealthy", "cleared")]
    recovers(target)
    assert outcomes()[-1] == ("healthy", "notified")
    assert len(mail.messages) == 2


def test_a_block_is_sent_at_once(target, mail):
    becomes_blocked(target)
    assert sweep() == 1


def test_a_block_is_sent_even_where_operators_know_of_an_outage_that_seemed_over(target, mail):
    becomes_unreachable(target)
    outcomes()
    recovers(target)
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "notified"), ("healthy", "cleared"), ("unhealthy", "notified")]


def test_an_outage_that_becomes_a_block_before_its_alert_is_sent_is_sent_at_once_as_that(target, mail):
    becomes_unreachable(target)
    becomes_blocked(target)
    assert sweep() == 1
    work()
    assert Alert.objects.get().reason == BLOCK


def test_a_target_that_flaps_causes_ever_fewer_alerts(target, mail, settings):
    settings.ALERT_AFTER_SECONDS = 30
    waits = []
    for _ in range(9):
        becomes_unreachable(target)
        alert = Alert.objects.filter(kind="unhealthy").latest("pk")
        waits.append((alert.not_before - alert.at).total_seconds())
        outcomes()
        recovers(target)
        outcomes()
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_without_a_wait_everything_is_sent_at_once(target, mail, settings):
    settings.ALERT_AFTER_SECONDS = 0
    becomes_unreachable(target)
    assert sweep() == 1


# --- a wait that the target asks for ----------------------------------------------------------------------------------
def test_a_wait_longer_than_the_delay_is_reported_with_its_reason_and_its_end(target, post, remote, mail):
    remote.fault(Fault.STATUS, status=429, retry_after=1800, body={"why": "private-words"})
    sync(target)
    target.refresh_from_db()
    assert sweep() == 0, "not before it has lasted"
    assert outcomes() == [("unhealthy", "notified")]
    until = f"{timezone.localtime(target.not_before):%Y-%m-%d %H:%M:%S %Z}"
    assert Alert.objects.get().reason == f"Fake API asked us to wait until {until}: it answered 429"
    assert "Sync now, on the target's page, ends it." in mail.messages[0].get_content()
    assert sync(target).state == "done", "a person ends the wait"
    assert outcomes() == [("unhealthy", "notified"), ("healthy", "notified")]


def test_a_long_wait_that_a_person_ends_at_once_is_not_reported(target, post, remote, mail):
    remote.fault(Fault.STATUS, status=503, retry_after=1800)
    sync(target)
    let_every_wait_end()
    sync(target)
    assert outcomes() == [("unhealthy", "cleared"), ("healthy", "cleared")]
    assert not mail.messages


def test_a_short_wait_is_not_worth_an_alert(target, post, remote):
    remote.fault(Fault.STATUS, status=429, retry_after=20)
    sync(target)
    assert not Alert.objects.exists()


def test_short_waits_without_an_answer_between_them_are_reported(target, post, remote, mail):
    remote.fault(Fault.STATUS, status=429, retry_after=2, times=5)
    for number in range(5):
        assert Alert.objects.count() == 0, number
        sync_automatically(target)
        let_every_wait_end()
    assert outcomes() == [("unhealthy", "notified")]
    sync_automatically(target)
    assert outcomes() == [("unhealthy", "notified"), ("healthy", "notified")]


# --- what nobody should read -----------------------------------------------------------------------------------------
def test_no_secret_is_in_the_row_or_the_log_even_where_it_is_sent_back(target, mail, hook, settings, caplog):
    caplog.set_level(logging.DEBUG)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "store", PASSWORD
    mail.says = {"AUTH": f"535 {PASSWORD} is wrong"}
    hook.statuses, hook.body = [400], f"{settings.ALERT_WEBHOOK_SECRET} {hook.url}".encode()
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "open")]
    kept = f"{list(Alert.objects.values())} {caplog.text} {list(OrmQ.objects.values())}"
    assert [one for one in (PASSWORD, HOOK_KEY, "s3cret-path") if one in kept] == []
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
        sent = sender.run(sender.exchange(request, float("inf")))
    assert sent is not None
    verdict = classify(Action.CREATE, sent.exchange, now=timezone.now())
    assert verdict.why
    becomes_unreachable(target, f"{target} {verdict.why}")
    assert "private-words" not in Alert.objects.get().reason


def test_what_a_target_answered_is_in_no_alert(target, post, remote, mail, hook):
    remote.fault(Fault.STATUS, status=401, times=2, body={"title": "private-words"})
    sync(target)
    assert outcomes() == [("unhealthy", "notified")]
    assert "private-words" not in f"{list(Alert.objects.values())}{mail.messages[0]}{hook.posts}"
    assert "answered 401" in mail.messages[0].get_content()


# --- the list --------------------------------------------------------------------------------------------------------
def test_the_list_shows_what_was_sent_and_what_was_not(target, mail, settings):
    settings.EMAIL_PORT = free_port()
    becomes_blocked(target)
    outcomes()
    page = administrator().get(reverse("admin:syncer_alert_changelist")).content.decode()
    for text in ("Unhealthy", BLOCK, "To be sent", "The mail server can&#x27;t be reached"):
        assert text in page
    one = administrator().get(reverse("admin:syncer_alert_change", args=[Alert.objects.get().pk]))
    assert BLOCK in one.content.decode()


def test_whoever_may_see_alerts_sees_them_and_nobody_changes_them(target):
    becomes_blocked(target)
    pages = [
        reverse("admin:syncer_alert_changelist"),
        reverse("admin:syncer_alert_change", args=[Alert.objects.get().pk]),
    ]
    for right, status in {"syncer.view_alert": 200, "syncer.sync_target": 200, "news.view_post": 403}.items():
        client = sign_in(right, name=right)
        assert [client.get(page).status_code for page in pages] == [status, status]
    client = administrator()
    assert client.get(reverse("admin:syncer_alert_add")).status_code == 403
    assert client.post(pages[1], {"reason": "x"}).status_code == 403
    assert client.get(reverse("admin:syncer_alert_delete", args=[Alert.objects.get().pk])).status_code == 403
