import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django_q.tasks import async_task
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from backoffice.accounts.password_reset import mail
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.pages import site_page
from backoffice.kit.sign_in.limits import ResetRequest

UID = re.compile(r"[0-9A-Za-z_-]+")  # base64, RFC 4648, section 5
SET = PasswordResetConfirmView.reset_url_token  # stands in the address in place of the token


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "email", "autofocus": True}),
    )


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """Take an address, and say the same whosever it is."""
    _require_mail()
    form = AddressForm(request.POST or None)
    if not form.is_valid():
        return site_page(request, "password_reset/ask.html", title=_("Forgotten your password?"), form=form)
    email = form.cleaned_data["email"]
    attempt = ResetRequest(request, email)
    request.sign_in_wait = attempt.begin()  # type: ignore[attr-defined] # the middleware answers 429
    if not request.sign_in_wait:  # type: ignore[attr-defined]
        attempt.fail()
        record(Action.RESET_ASKED)
        async_task(mail.TASK, email, get_language(), group="password reset", save=False)
    return HttpResponseRedirect(reverse("admin:password_reset_sent"))


def sent(request: HttpRequest) -> HttpResponse:
    _require_mail()
    return site_page(request, "password_reset/sent.html", title=_("Look into your mailbox"))


@never_cache
def open_link(request: HttpRequest) -> HttpResponse:
    """Move the token of a mail's link into the session: neither the log nor the browser's history has it then."""
    _require_mail()
    uid = request.GET.get("uid", "")
    request.session[INTERNAL_RESET_SESSION_TOKEN] = request.GET.get("token", "")
    address = reverse("admin:password_reset_set", args=[uid if UID.fullmatch(uid) else "-", SET])
    return HttpResponseRedirect(address)


class NewPasswordView(PasswordResetConfirmView):
    template_name = "password_reset/set.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("admin:login")

    @method_decorator(never_cache)
    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        _require_mail()
        return super().dispatch(*args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record(Action.RESET_DONE, self.user)
        messages.success(self.request, _("Your new password is set. Log in with it."))
        return response

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown = {**admin.site.each_context(self.request), **super().get_context_data(**context)}
        return {**shown, "title": _("New password")}


def _require_mail() -> None:
    if not settings.PASSWORD_RESET:
        raise Http404
