"""Failed sign-ins are counted at every door, and too many close it for a while: django-axes, fitted to this house.

- Counted per account and address, so that nobody can lock a colleague out from elsewhere; and per address, with a limit
  of its own, as people may share one.
- A right password forgets the failures of its account at its address, and no others: who knows one password may not
  clear what they guessed at others.
- While a door is closed nothing is counted: it opens AXES_COOLOFF_TIME after the last failure that was.
- Nothing that was typed is stored but the name of an account.
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

from backoffice.kit.api.problems import ProblemError

Attempts = QuerySet[AccessAttempt]
Credentials = dict[str, Any] | None
LOCKED = "Too many failed sign-ins. Try again in {}."


def forget_failures(request: HttpRequest, username: str) -> None:
    """For doors that ask `authenticate()` and begin no session; where one begins, Django's signal does this."""
    AxesProxyHandler.get_implementation().reset_user_attempts(request, get_credentials(username))


def account_name(request: HttpRequest, credentials: Credentials) -> str:
    """By what failures are counted: the account's name, or a digest of what is none; it may be a password."""
    given = str((credentials or {}).get(get_user_model().USERNAME_FIELD) or "")
    if get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: given}).exists():
        return given
    return f"no account, {salted_hmac('sign_in.account_name', given).hexdigest()[:12]}"


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """The two queries are in the order of AXES_LOCKOUT_PARAMETERS: of the account at the address, of the address."""

    def get_failures(self, request: HttpRequest, credentials: Credentials = None) -> int:
        """What is compared with AXES_FAILURE_LIMIT."""
        account, address = self.get_user_attempts(request, credentials)
        failures = _sum(account)
        return max(failures, settings.AXES_FAILURE_LIMIT) if _address_is_closed(request, address) else failures

    def reset_user_attempts(self, request: HttpRequest, credentials: Credentials = None) -> int:
        account: Attempts = self.filter_user_attempts(request, credentials)[0]
        # Basic comes with each request: where there is nothing to forget, nothing is written.
        return account.delete()[0] if account.exists() else 0

    def seconds_closed(self, request: HttpRequest, credentials: Credentials) -> int:
        account, address = self.get_user_attempts(request, credentials)
        counting = account if _sum(account) >= settings.AXES_FAILURE_LIMIT else address
        newest = counting.aggregate(newest=Max("attempt_time"))["newest"] or timezone.now()
        return max(1, math.ceil((newest + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()))


def _sum(attempts: Attempts) -> int:
    return attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


def _address_is_closed(request: Any, attempts: Attempts) -> bool:
    """Of an address that is not known nothing is: it would be everybody's."""
    return request.axes_ip_address is not None and _sum(attempts) >= settings.SIGN_IN_ADDRESS_FAILURES


@receiver(pre_save, sender=AccessAttempt)
def keep_no_form(instance: AccessAttempt, **_: Any) -> None:
    """axes masks fields by their names; whatever came under others would be stored."""
    instance.get_data = instance.post_data = ""


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Credentials) -> HttpResponse:
    """The answer of a closed door, in place of `response`."""
    seconds = AxesProxyHandler.get_implementation().seconds_closed(request, credentials)
    minutes = math.ceil(seconds / 60)
    text = LOCKED.format("a minute" if minutes == 1 else f"{minutes} minutes")
    if request.path_info.startswith("/api/"):
        return ProblemError(429, text, headers={"Retry-After": str(seconds)}).response()
    context = {
        **admin.site.each_context(request),
        "title": "Too many failed sign-ins",
        "text": text,
        "login_url": reverse("admin:login"),
    }
    page = render(request, "admin/locked_out.html", admin.site.each_context(request) | context, status=429)
    page["Retry-After"] = str(seconds)
    return page
