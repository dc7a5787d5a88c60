"""The pages of each person in their language and time zone, and the page where they choose both."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.timezone import now
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

from backoffice.accounts.models import User
from backoffice.kit.api.middleware import API
from backoffice.kit.pages import site_page
from backoffice.kit.preferences import in_force, languages, time_zones

# Programs read these, in English and UTC whoever asks.
FOR_PROGRAMS = (API, "/health/")


class PreferencesMiddleware:
    """Makes each page in its reader's language and time zone. Comes after the middleware that sets `request.user`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(FOR_PROGRAMS):
            return self.get_response(request)
        with in_force(request) as language:
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("language", "time_zone")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        empty = {"language": _("As the browser says"), "time_zone": _node_zone()}
        choices = {"language": languages(), "time_zone": time_zones()}
        for name, label in empty.items():
            field = cast(forms.TypedChoiceField, self.fields[name])
            field.widget = UnfoldAdminSelectWidget()
            field.choices = [("", label), *choices[name]]
            field.help_text = ""


def my_settings(request: HttpRequest) -> HttpResponse:
    """Show (GET) or save (POST) the language and the time zone of one's own pages."""
    user = cast(User, request.user)
    form = PreferencesForm(request.POST or None, instance=user)
    if form.is_bound and form.is_valid():
        user.save(update_fields=[*PreferencesForm.Meta.fields])
        with in_force(request):
            messages.success(request, _("Your settings are saved."))
        return HttpResponseRedirect(reverse("admin:accounts_user_settings"))
    return site_page(request, "accounts/settings.html", title=_("My settings"), form=form, now=now())


def _node_zone() -> str:
    return _("This node's (%(zone)s)") % {"zone": settings.TIME_ZONE}
