"""The message of an alert, and the channels that carry it: e-mail and a webhook.

A message holds no content and no secret. The reason why a channel failed quotes nothing of the server's answer: a
server can be made to repeat the password.
"""

import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Self
from uuid import NAMESPACE_OID, uuid5

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook

from backoffice.kit import clock
from backoffice.kit.http import Client, HttpError, Request
from backoffice.kit.phrases import Phrase, phrase
from syncer.core.errors import SyncError
from syncer.models import Alert, Binding, Target, backlog

HEADLINES = {
    Alert.Kind.UNHEALTHY: "is unhealthy",
    Alert.Kind.HEALTHY: "is healthy again",
    Alert.Kind.DELETES: "has deletes that wait for a person",
}


@dataclass(frozen=True, kw_only=True)
class AlertMessage:
    """An alert as people and programs read it."""

    alert: Alert
    uid: str  # letters and digits, the same each time that this alert is sent
    url: str  # the target's page; only its path if NODE_URL is not set
    pending: int  # objects that wait to be sent

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Make the message from the rows as they are now."""
        # With the time: a restored database gives the same primary key to another alert.
        uid = uuid5(NAMESPACE_OID, f"{settings.NODE} {alert.pk} {alert.at.timestamp()}").hex
        path = reverse("admin:syncer_target_change", args=[alert.target_id])
        return cls(alert=alert, uid=uid, url=f"{settings.NODE_URL}{path}", pending=_pending(alert.target))

    @property
    def title(self) -> str:
        """The target's title in one line, for the subject of an e-mail."""
        return " ".join(str(self.alert.target).split())

    @property
    def headline(self) -> str:
        """The event in a few words: `Demo remote is unhealthy`."""
        return f"{self.title} {HEADLINES[Alert.Kind(self.alert.kind)]}"

    @property
    def text(self) -> str:
        """The text of an e-mail: the event, its time and reason, the number of waiting objects, and the next step."""
        alert = self.alert
        parts = [f"{self.headline}, since {_local(alert.at)}."]
        if alert.kind == Alert.Kind.UNHEALTHY:
            waiting = "1 object waits" if self.pending == 1 else f"{self.pending} objects wait"
            kept = f"Nothing is lost: {waiting} to be sent, and later changes are kept too."
            parts += [f"Why: {alert.reason}", f"{kept} {_next(alert.target)}"]
        elif alert.kind == Alert.Kind.DELETES:
            decide = "None of them is sent until a person has allowed them, or undone the edits; all else is sent."
            parts += [f"{alert.reason}.", decide + (" This was decided by now." if alert.ended_at else "")]
        else:
            sent = Alert.objects.filter(target=alert.target, kind=Alert.Kind.UNHEALTHY, tries__gt=0, pk__lt=alert.pk)
            if unhealthy := sent.order_by("-pk").first():
                parts.append(f"It was unhealthy since {_local(unhealthy.at)}: {unhealthy.reason}")
            parts.append("What waits is sent now. There is nothing to do.")
        more = "What each message means: docs/operating.md."
        return "\n\n".join([*parts, f"The target's page: {self.url}\n{more}\n"])

    @property
    def event(self) -> dict[str, object]:
        """The webhook's body, in Standard Webhooks form: `{"type": "target.unhealthy", "timestamp", "data"}`."""
        alert = self.alert
        at = alert.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "type": f"target.{alert.kind}",
            "timestamp": at,
            "data": {
                "node": settings.NODE,
                "target": alert.target.name,
                "title": self.title,
                "reason": alert.reason,
                "since": at,
                "pending": self.pending,
                "url": self.url,
            },
        }


def _pending(target: Target) -> int:
    try:
        return backlog.pending_at(target)
    except SyncError:  # a mark can't be read: what was planned before is known
        return Binding.objects.left(target).count()


def _next(target: Target) -> str:
    """Say what happens next, or what a person has to do."""
    if not target.enabled:
        return "It is paused by now."
    if target.blocked:
        cure = "then press Resume, or Sync now, on the target's page."
        return f"Nothing is sent to it until a person has fixed that: {cure}"
    if target.opened_at:
        return "It is retried automatically, with one request at a time, and goes on once one is answered."
    if target.not_before and target.not_before > clock.now():
        return "It is tried again automatically when that wait is over; Sync now, on the target's page, ends it."
    return "It may be sent to again by now."


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


class NotDeliveredError(Exception):
    """A channel did not accept an alert, or it is not known whether it did.

    The message is a phrase that continues the channel's name.
    """


def mail(message: AlertMessage) -> None:
    """Send an e-mail to ALERT_EMAILS; a repeat has the same `Message-ID`.

    Raises:
        NotDeliveredError: the server did not confirm that it accepted the e-mail.
    """
    sender = settings.DEFAULT_FROM_EMAIL
    email = EmailMessage(
        subject=f"[{settings.NODE}] {message.headline}",
        body=message.text,
        from_email=sender,
        to=settings.ALERT_EMAILS,
        headers={
            "Message-ID": f"<{message.uid}@{sender.rpartition('@')[2].rstrip('>')}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office reply answers it
        },
    )
    try:
        with get_connection() as server:  # closes the connection if the sign-in fails; `email.send()` does not
            server.send_messages([email])
    except UnicodeError:
        raise NotDeliveredError(
            phrase("can't be signed in to: user name or password holds a letter beyond ASCII")
        ) from None
    except OSError as error:  # the errors of smtplib are subclasses
        raise NotDeliveredError(_mail_trouble(error)) from None


def _mail_trouble(error: OSError) -> Phrase:
    match error:
        case smtplib.SMTPAuthenticationError():
            return phrase("refused the user name or the password (%(status)s)", status=error.smtp_code)
        case smtplib.SMTPResponseException():
            return phrase("answered %(status)s", status=error.smtp_code)
        case smtplib.SMTPRecipientsRefused():
            return phrase("refused every address of ALERT_EMAILS")
        case smtplib.SMTPServerDisconnected():
            return phrase("closed the connection")
        case smtplib.SMTPException():
            return phrase("failed (%(reason)s)", reason=type(error).__name__)
        case ssl.SSLError():
            reason = str(error.reason)
            return phrase("has a certificate that can't be trusted, or speaks no TLS (%(reason)s)", reason=reason)
        case TimeoutError():
            return phrase("did not answer within %(seconds)s s", seconds=f"{settings.EMAIL_TIMEOUT:g}")
    return phrase("can't be reached (%(reason)s)", reason=error.strerror or type(error).__name__)


@cache
def _client(timeout: float) -> Client:
    """Return the one client with this time-out, which keeps its connections open."""
    return Client(timeout=timeout)


def post(message: AlertMessage) -> None:
    """POST the event by Standard Webhooks, signed if ALERT_WEBHOOK_SECRET is set; a repeat has the same `webhook-id`.

    Raises:
        NotDeliveredError: the answer was not 2xx, or there was none.
    """
    body = json.dumps(message.event)
    message_id, sent_at = f"msg_{message.uid}", datetime.now(UTC)  # `sign` treats a naive or local time as UTC
    headers = {"webhook-id": message_id, "webhook-timestamp": str(int(sent_at.timestamp()))}
    if settings.ALERT_WEBHOOK_SECRET:
        headers["webhook-signature"] = Webhook(settings.ALERT_WEBHOOK_SECRET).sign(message_id, sent_at, body)
    request = Request(method="POST", url=settings.ALERT_WEBHOOK_URL, body=body.encode(), headers=headers)
    client = _client(settings.ALERT_WEBHOOK_TIMEOUT)
    try:
        answer = client.send(request)
    except HttpError as error:
        raise NotDeliveredError(error.why) from None
    if not 200 <= answer.status < 300:
        raise NotDeliveredError(phrase("answered %(status)s", status=answer.status))


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way to notify operators."""

    name: str
    column: str  # the column of `Alert` with the time at which this channel accepted it
    is_set: Callable[[], bool]  # whether the settings name a receiver
    send: Callable[[AlertMessage], None]  # sends the message; raises NotDeliveredError


CHANNELS = (
    Channel(name=phrase("The mail server"), column="mailed_at", is_set=lambda: bool(settings.ALERT_EMAILS), send=mail),
    Channel(name=phrase("The webhook"), column="posted_at", is_set=lambda: bool(settings.ALERT_WEBHOOK_URL), send=post),
)
