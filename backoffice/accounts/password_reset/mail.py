from typing import Any

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.utils.translation import override

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record

TASK = "backoffice.accounts.password_reset.mail.send"


def send(email: str, language: str) -> None:
    """Send a mail to each active account of the address that has a password; the queue's task.

    Args:
        language: of the page where it was asked for; a person's own choice goes before it.
    """
    form = _Mail({"email": email})
    if form.is_valid():
        form.save(
            domain_override=settings.NODE_URL,  # never the host that a request named
            subject_template_name="password_reset/subject.txt",
            email_template_name="password_reset/mail.txt",
            extra_email_context={"node_url": settings.NODE_URL, "title": settings.TITLE, "language": language},
        )


class _Mail(PasswordResetForm):
    def send_mail(self, subject: str, body: str, context: dict[str, Any], *args: Any, **options: Any) -> None:  # type: ignore[override]
        account = context["user"]
        with override(account.language or context["language"]):
            super().send_mail(subject, body, context, *args, **options)
        record(Action.RESET_MAILED, account)
