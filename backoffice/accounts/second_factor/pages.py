"""The page of one's own second factor: set it up, make new recovery codes, take it away."""

from typing import Any, cast

import segno
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import codes, service
from backoffice.accounts.second_factor.demands import must_set_up
from backoffice.accounts.second_factor.forms import CodeForm, SetUpForm, wrong_code
from backoffice.kit.auth import check_password
from backoffice.kit.pages import site_page
from backoffice.kit.sealing import SealError, seal, unseal
from backoffice.kit.sign_in.receivers import succeeded

KEY = "second_factor_secret"  # of the session: the secret that is being set up, sealed


@sensitive_post_parameters("password", "code")
def second_factor(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    return set_up(request, user) if user.second_factor_at is None else manage(request, user)


@sensitive_variables("secret", "made")
def set_up(request: HttpRequest, user: User) -> HttpResponse:
    secret = _secret(request)
    form = SetUpForm(request.POST or None, user=user)
    if form.is_valid():
        if "password" in form.fields and not _is_password(request, user, form.cleaned_data["password"]):
            form.add_error("password", _("This is not your password."))
        elif (made := service.set_up(user, secret, form.cleaned_data["code"])) is None:
            form.add_error("code", _("This is not the code that the app shows now. Is the clock of its device right?"))
        else:
            del request.session[KEY]
            update_session_auth_hash(request, user)
            return _shown_once(request, made)
    picture = segno.make(codes.address(secret, user.get_username()), error="m").svg_inline(scale=5, light="#fff")
    return _page(
        request, "set_up", form=form, secret=secret, picture=SafeString(picture), is_demanded=must_set_up(user)
    )


def manage(request: HttpRequest, user: User) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if authenticate(request, username=user.get_username(), code=form.cleaned_data["code"], proven=user) is None:
            form.add_error("code", wrong_code())
        else:
            succeeded(request, user)
            if "remove" not in request.POST:
                return _shown_once(request, service.renew_recovery_codes(user))
            service.remove(user)
            update_session_auth_hash(request, user)
            messages.success(request, _("Your second factor is taken away."))
            return HttpResponseRedirect(reverse("admin:second_factor"))
    return _page(request, "manage", form=form, account=user, left=user.recovery_codes.count())


def _shown_once(request: HttpRequest, made: list[str]) -> HttpResponse:
    """Show recovery codes in the answer itself, which nobody caches: a message or a session would store them."""
    return _page(request, "recovery_codes", codes=made)


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    return site_page(request, f"second_factor/{name}.html", title=_("Second factor"), **context)


def _secret(request: HttpRequest) -> str:
    """Return the secret that this session sets up; a new one each time would change under whoever reloads the page."""
    try:
        return unseal(request.session[KEY])
    except (KeyError, SealError):
        secret = codes.new_secret()
        request.session[KEY] = seal(secret)
        return secret


def _is_password(request: HttpRequest, user: User, password: str) -> bool:
    return check_password(request, user.get_username(), password, way=None) == user
