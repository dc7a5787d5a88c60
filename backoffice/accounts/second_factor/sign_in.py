"""The page that asks for the code, after the password was right or somebody signed in elsewhere."""

import time
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import authenticate, login
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from backoffice.accounts.models import User
from backoffice.accounts.second_factor.forms import CodeForm, wrong_code

KEY = "sign_in_awaits_code"  # of the session
SECONDS = 10 * 60  # from the password to the code


def ask_for_code(request: HttpRequest, user: User, *, target: str, way: str = "session") -> HttpResponse:
    """Remember that the first step is done, and lead to the page of the second.

    Args:
        target: the page to open at last; empty for the first page.
        way: how they sign in, for the audit trail.
    """
    request.session.cycle_key()
    request.session[KEY] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "until": time.time() + SECONDS,
        "way": way,
    }
    query = f"?{urlencode({'next': target})}" if target else ""
    return HttpResponseRedirect(reverse("admin:second_factor_code") + query)


def awaited(request: HttpRequest) -> User | None:
    """Return whose code is awaited in this session; None if nobody's is, or no longer."""
    kept = request.session.get(KEY)
    if kept is None or kept["until"] < time.time():
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True, is_staff=True).first()
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()) if user else ()
    return user if any(constant_time_compare(one, kept["hash"]) for one in hashes) else None


@method_decorator([never_cache, sensitive_post_parameters("code")], name="dispatch")
class CodeView(RedirectURLMixin, FormView):  # type: ignore[type-arg]
    template_name = "second_factor/code.html"
    form_class = CodeForm
    next_page = "admin:index"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = awaited(request)
        if user is None:
            return HttpResponseRedirect(reverse("admin:login"))
        self.user = user
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: CodeForm) -> HttpResponse:
        name, code = self.user.get_username(), form.cleaned_data["code"]
        user = authenticate(self.request, username=name, code=code, proven=self.user)
        if user is None:
            form.add_error("code", wrong_code())
            return self.form_invalid(form)
        self.request.sign_in_way = self.request.session.pop(KEY)["way"]  # type: ignore[attr-defined]
        login(self.request, user)
        return HttpResponseRedirect(self.get_success_url())

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown = {**admin.site.each_context(self.request), "title": _("Your code")}
        return super().get_context_data(**shown, **context)


def code_awaited_of(request: HttpRequest) -> User | None:
    """Return whose right password came without a code in this request; None of those who can't open the pages."""
    user = cast(User | None, getattr(request, "code_awaited_of", None))
    return user if user and user.is_staff else None
