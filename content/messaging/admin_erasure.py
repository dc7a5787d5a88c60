"""The page that erases a client after showing how much is erased, and the records of erasures."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.kit.admin import ReadOnlyAdmin
from backoffice.kit.labels import translated
from backoffice.kit.numbers import key_number
from backoffice.kit.pages import model_page
from content.messaging import services
from content.messaging.models import CLIENT_LENGTH, Erasure, Message

ERASE, EXPORT = "messaging.erase_client", "messaging.export_client"
# What `Erasure.counts` names.
KINDS = {kind: translated("content", kind) for kind in ("versions", "sent records", *settings.ERASERS)}


class ErasureForm(forms.Form):
    client = forms.CharField(
        max_length=CLIENT_LENGTH,
        strip=False,
        help_text=_("The client's id, exactly as it is in the messages."),
        widget=UnfoldAdminTextInputWidget,
    )
    reason = forms.CharField(
        max_length=100,
        help_text=_("Why, without naming the client: the number of their request, for example. It is kept."),
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "client" in data and "reason" in data:
            services.check(client=data["client"], reason=data["reason"])
        return data


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("erased_at", "user_name", "reason", "messages")
    fields = ("erased_at", "user_name", "reason", "messages", "elsewhere")
    readonly_fields = ("elsewhere",)

    @admin.display(description=_("elsewhere"))
    def elsewhere(self, erasure: Erasure) -> str:
        return ", ".join(f"{number} {KINDS.get(kind, kind)}" for kind, number in erasure.counts.items()) or gettext(
            "nothing"
        )

    def has_view_permission(self, request: HttpRequest, obj: Erasure | None = None) -> bool:
        return request.user.has_perm("messaging.view_erasure") or request.user.has_perm(ERASE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ERASE)

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("client/", export, name="messaging_erasure_export"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Ask for the client (GET), show how much would be erased (POST), or erase it (POST with `sure`)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ErasureForm(request.POST or None, initial=self._initial(request))
        is_valid = form.is_bound and form.is_valid()
        if is_valid and "sure" in request.POST:
            return self._erase(request, form)
        return model_page(
            self,
            request,
            "messaging/erase.html",
            title=gettext("Erase a client"),
            form=form,
            held=services.held_on(form.cleaned_data["client"]) if is_valid else None,
            may_export=request.user.has_perm(EXPORT),
            media=self.media,
        )

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Stream all data about a client as a download. POST only: addresses are logged, and so would be the client."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
        parts = services.export_client(request.POST.get("client", ""))
        headers = {"Content-Disposition": 'attachment; filename="client.json"'}
        return StreamingHttpResponse(parts, content_type="application/json", headers=headers)

    def _initial(self, request: HttpRequest) -> dict[str, str]:
        """Return the form's initial client: that of the message in the address, which never holds a client's id."""
        key = key_number(request.GET.get("message", ""))
        message = None if key is None else Message.objects.filter(pk=key).first()
        return {"client": message.client} if message and request.user.has_perm("messaging.view_message") else {}

    def _erase(self, request: HttpRequest, form: ErasureForm) -> HttpResponse:
        try:
            erasure = services.erase_client(user=request.user, **form.cleaned_data)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("admin:messaging_erasure_add")
        text = ngettext(
            "The client is erased: %(number)s message, and what was kept of them elsewhere.",
            "The client is erased: %(number)s messages, and what was kept of them elsewhere.",
            erasure.messages,
        )
        messages.success(request, text % {"number": erasure.messages})
        return redirect("admin:messaging_erasure_change", erasure.pk)
