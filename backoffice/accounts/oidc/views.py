"""The way to the provider and back."""

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backoffice.accounts.oidc.people import RefusedError, account_of
from backoffice.accounts.oidc.provider import ProviderError, authorization_redirect, claims_of
from backoffice.accounts.second_factor.sign_in import ask_for_code
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record

log = logging.getLogger(__name__)
NEXT = "oidc_next"  # of the session: the page to open at last
BACKEND = "backoffice.accounts.second_factor.backend.PasswordBackend"  # reads the account of the session


def button(request: HttpRequest) -> dict[str, str] | None:
    """Return the button of the log-in page; None where no provider is set."""
    if not settings.OIDC_ISSUER:
        return None
    query = urlencode({"next": request.GET["next"]}) if "next" in request.GET else ""
    return {"label": settings.OIDC_LABEL, "url": f"{reverse('admin:oidc')}?{query}"}


@require_safe
@never_cache
def log_in(request: HttpRequest) -> HttpResponse:
    _require_provider()
    request.session[NEXT] = request.GET.get("next", "")
    back = reverse("admin:oidc_back")
    try:
        return authorization_redirect(
            request, f"{settings.NODE_URL}{back}" if settings.NODE_URL else request.build_absolute_uri(back)
        )
    except ProviderError as error:
        return _failed(request, error)


@require_safe
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    _require_provider()
    target = request.session.pop(NEXT, "")
    try:
        user = account_of(claims_of(request))
    except ProviderError as error:
        return _failed(request, error)
    except RefusedError as error:
        record(Action.SIGN_IN_FAILED, way="oidc")
        return _to_log_in(request, str(error))
    if user.second_factor_at is not None:
        return ask_for_code(request, user, target=target, way="oidc")
    request.sign_in_way = "oidc"  # type: ignore[attr-defined]
    login(request, user, backend=BACKEND)
    allowed: dict[str, Any] = {"allowed_hosts": {request.get_host()}, "require_https": request.is_secure()}
    is_ours = url_has_allowed_host_and_scheme(target, **allowed)
    return HttpResponseRedirect(target if is_ours else reverse("admin:index"))


def _require_provider() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404


def _failed(request: HttpRequest, error: ProviderError) -> HttpResponse:
    log.warning("sign-in at %s failed: %s", settings.OIDC_ISSUER, error)
    return _to_log_in(
        request, _("The sign-in did not succeed there. Try again; if it persists, tell an administrator.")
    )


def _to_log_in(request: HttpRequest, text: str) -> HttpResponse:
    messages.error(request, text)
    return HttpResponseRedirect(reverse("admin:login"))
