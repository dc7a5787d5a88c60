"""Count failed sign-ins at every entry point, and lock out for a while after too many: django-axes, adapted.

- Failures count per account and address, so that nobody can lock a colleague out from elsewhere; and per address, with
  a limit of its own, as people may share one.
- A correct password clears the failures of its account at its address, and no others: a person who knows one password
  may not clear the record of their guesses at others.
- During a lockout nothing is counted: it ends AXES_COOLOFF_TIME after the last failure that was counted.
- Of what was typed only the name of an existing account is stored.
"""

import math
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_credentials
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Max, QuerySet, Sum
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, ngettext

from backoffice.kit.api.problems import ProblemError

Attempts = QuerySet[AccessAttempt]
Credentials = dict[str, Any] | None
LOCKED = "Too many failed sign-ins. Try again in {}."  # to programs


def forget_failures(request: HttpRequest, username: str) -> None:
    """Clear the failures after `authenticate()` without a session; where a session begins, Django's signal does it."""
    AxesProxyHandler.get_implementation().reset_user_attempts(request, get_credentials(username))


def account_name(request: HttpRequest, credentials: Credentials) -> str:
    """Return the name that failures are counted by: of the account, or a digest if none exists.

    People type passwords into the name's field, so an unknown name is not stored.
    """
    name = str((credentials or {}).get(get_user_model().USERNAME_FIELD) or "")
    if get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: name}).exists():
        return name
    return f"no account, {salted_hmac('sign_in.account_name', name).hexdigest()[:12]}"


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """axes' handler, with limits per account at an address and per address, in AXES_LOCKOUT_PARAMETERS' order."""

    def get_failures(self, request: HttpRequest, credentials: Credentials = None) -> int:
        """Return the number that axes compares with AXES_FAILURE_LIMIT."""
        account, address = map(_sum, self.get_user_attempts(request, credentials))
        is_known = request.axes_ip_address is not None  # type: ignore[attr-defined]
        # Everybody would share an unknown address, so it never counts as closed.
        if is_known and address >= settings.SIGN_IN_ADDRESS_FAILURES:
            return max(account, settings.AXES_FAILURE_LIMIT)
        return account

    def reset_user_attempts(self, request: HttpRequest, credentials: Credentials = None) -> int:
        account: Attempts = self.filter_user_attempts(request, credentials)[0]
        # Basic authentication comes with each request: without failures to clear, nothing is written.
        return account.delete()[0] if account.exists() else 0

    def seconds_closed(self, request: HttpRequest, credentials: Credentials) -> int:
        """Return the seconds until the lockout ends, at least 1."""
        account, address = self.get_user_attempts(request, credentials)
        counting = account if _sum(account) >= settings.AXES_FAILURE_LIMIT else address
        newest = counting.aggregate(newest=Max("attempt_time"))["newest"] or timezone.now()
        return max(1, math.ceil((newest + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()))


def _sum(attempts: Attempts) -> int:
    return attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


@receiver(pre_save, sender=AccessAttempt)
def keep_no_form(instance: AccessAttempt, **_: object) -> None:
    """Store no form fields: axes masks them by name, and would store secrets sent under other names."""
    instance.get_data = instance.post_data = ""


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Credentials) -> HttpResponse:
    """Return the answer during a lockout, in place of `response`: a problem under /api/, else a page."""
    seconds = AxesProxyHandler.get_implementation().seconds_closed(request, credentials)
    minutes = math.ceil(seconds / 60)
    if request.path_info.startswith("/api/"):
        text = LOCKED.format("a minute" if minutes == 1 else f"{minutes} minutes")
        return ProblemError(429, text, headers={"Retry-After": str(seconds)}).response()
    context = {
        **admin.site.each_context(request),
        "title": gettext("Too many failed sign-ins"),
        "text": ngettext(
            "Too many failed sign-ins. Try again in a minute.",
            "Too many failed sign-ins. Try again in %(minutes)s minutes.",
            minutes,
        )
        % {"minutes": minutes},
        "login_url": reverse("admin:login"),
    }
    page = render(request, "admin/locked_out.html", context, status=429)
    page["Retry-After"] = str(seconds)
    return page
