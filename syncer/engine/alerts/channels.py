"""The ways by which operators are told: e-mail, and a webhook.

What is said of a failure quotes nothing that the other side said: a server can be made to repeat the password.
"""

import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from standardwebhooks import Webhook

from backoffice.kit.http import Client, HttpError, Request
from syncer.engine.alerts.words import Words


class NotDeliveredError(Exception):
    """It was not told, or nobody knows. The message is a predicate that reads on from the channel's name."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One way.

    Attributes:
        column: where an alert keeps when this channel took it.
        is_set: whether the settings name somebody to tell.
        tell: raises NotDeliveredError.
    """

    name: str
    column: str
    is_set: Callable[[], bool]
    tell: Callable[[Words], None]


def mail(words: Words) -> None:
    """Hand an e-mail to the mail server; whoever gets it twice can tell by its Message-ID.

    Raises:
        NotDeliveredError: the server did not say that it took it.
    """
    sender = settings.DEFAULT_FROM_EMAIL
    message = EmailMessage(
        subject=words.subject,
        body=words.text,
        from_email=sender,
        to=settings.ALERT_EMAILS,
        headers={
            "Message-ID": f"<{words.uid}@{sender.rpartition('@')[2].rstrip('>')}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's holiday alert answers it
        },
    )
    try:
        with get_connection() as server:  # which hangs up where the sign-in fails; `send()` alone does not
            server.send_messages([message])
    except UnicodeError:
        raise NotDeliveredError("can't be signed in to: user name or password holds a letter beyond ASCII") from None
    except OSError as error:  # the library's own are among them
        raise NotDeliveredError(_mail_trouble(error)) from None


def _mail_trouble(error: OSError) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"refused the user name or the password ({error.smtp_code})"
        case smtplib.SMTPResponseException():
            return f"answered {error.smtp_code}"
        case smtplib.SMTPRecipientsRefused():
            return "refused every address of ALERT_EMAILS"
        case smtplib.SMTPServerDisconnected():
            return "closed the connection"
        case smtplib.SMTPException():
            return f"failed ({type(error).__name__})"
        case ssl.SSLError():
            return f"has a certificate that can't be trusted, or speaks no TLS ({error.reason})"
        case TimeoutError():
            return f"did not answer within {settings.EMAIL_TIMEOUT} s"
    return f"can't be reached ({error.strerror or type(error).__name__})"


@cache
def _client(timeout: float, allow_private: bool) -> Client:  # noqa: FBT001 - the cache's key
    """It keeps its connections open."""
    return Client(timeout=timeout, allow_private=allow_private)


def post(words: Words) -> None:
    """POST the event by Standard Webhooks, signed where there is a secret; a repeat has the same `webhook-id`.

    Raises:
        NotDeliveredError: the answer was not 2xx, or there was none.
    """
    body = json.dumps(words.event)
    message_id, sent_at = f"msg_{words.uid}", datetime.now(UTC)  # `sign` takes any other time for UTC
    headers = {"webhook-id": message_id, "webhook-timestamp": str(int(sent_at.timestamp()))}
    if settings.ALERT_WEBHOOK_SECRET:
        headers["webhook-signature"] = Webhook(settings.ALERT_WEBHOOK_SECRET).sign(message_id, sent_at, body)
    request = Request(method="POST", url=settings.ALERT_WEBHOOK_URL, body=body.encode(), headers=headers)
    client = _client(settings.ALERT_WEBHOOK_TIMEOUT, settings.ALERT_WEBHOOK_ALLOW_PRIVATE)
    try:
        answer = client.send(request)
    except HttpError as error:
        raise NotDeliveredError(str(error)) from None
    if not 200 <= answer.status < 300:
        raise NotDeliveredError(f"answered {answer.status}")


MAIL = Channel(name="The mail server", column="mailed_at", is_set=lambda: bool(settings.ALERT_EMAILS), tell=mail)
WEBHOOK = Channel(name="The webhook", column="posted_at", is_set=lambda: bool(settings.ALERT_WEBHOOK_URL), tell=post)
CHANNELS = (MAIL, WEBHOOK)
