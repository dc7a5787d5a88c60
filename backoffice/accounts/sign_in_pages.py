"""The pages around signing in, beside the admin's own form."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from backoffice.accounts.oidc import views as oidc
from backoffice.accounts.password_reset import views as password_reset
from backoffice.accounts.second_factor.pages import second_factor
from backoffice.accounts.second_factor.sign_in import CodeView, ask_for_code, code_awaited_of


def urls(site: AdminSite) -> list[URLPattern]:
    return [
        path("login/oidc/", oidc.log_in, name="oidc"),
        path("login/oidc/back/", oidc.callback, name="oidc_back"),
        path("login/password/", password_reset.ask, name="password_reset"),
        path("login/password/sent/", password_reset.sent, name="password_reset_sent"),
        path("login/password/link/", password_reset.open_link, name="password_reset_open"),
        path(
            "login/password/<slug:uidb64>/<slug:token>/",
            password_reset.NewPasswordView.as_view(),
            name="password_reset_set",
        ),
        path("login/code/", CodeView.as_view(), name="second_factor_code"),
        path("second-factor/", site.admin_view(second_factor), name="second_factor"),
    ]


def ways(request: HttpRequest) -> dict[str, Any]:
    """Return what the log-in page offers beside the password."""
    return {"oidc": oidc.button(request), "may_reset": settings.PASSWORD_RESET}


def next_step(request: HttpRequest) -> HttpResponse | None:
    """Return the way to the page of the code, where a right password needs one."""
    user = code_awaited_of(request)
    return None if user is None else ask_for_code(request, user, target=request.GET.get("next", ""))
