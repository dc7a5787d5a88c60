"""The page that erases a client, after showing how much that is; and the record of what was erased."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.kit.admin import ReadOnlyAdmin
from content.messaging import services
from content.messaging.models import CLIENT_LENGTH, Erasure, Message

ERASE, EXPORT = "messaging.erase_client", "messaging.export_client"


class ErasureForm(forms.Form):
    client = forms.CharField(
        max_length=CLIENT_LENGTH,
        strip=False,
        help_text="The client's id, exactly as it is in the messages.",
        widget=UnfoldAdminTextInputWidget,
    )
    reason = forms.CharField(
        max_length=100,
        help_text="Why, without naming the client: the number of their request, for example. It is kept.",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "client" in data and "reason" in data:
            services.check(client=data["client"], reason=data["reason"])
        return data


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("erased_at", "user", "reason", "messages")
    list_select_related = ("user",)
    fields = ("erased_at", "user", "reason", "messages", "elsewhere")
    readonly_fields = ("elsewhere",)

    @admin.display(description="elsewhere")
    def elsewhere(self, erasure: Erasure) -> str:
        return ", ".join(f"{number} {what}" for what, number in erasure.counts.items()) or "nothing"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("messaging.view_erasure") or request.user.has_perm(ERASE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ERASE)

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("client/", export, name="messaging_erasure_export"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Asks which client (GET), shows how much that is (POST), and erases them (POST with `sure`)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ErasureForm(request.POST or None, initial=self._initial(request))
        is_known = form.is_bound and form.is_valid()
        if is_known and "sure" in request.POST:
            return self._erase(request, form)
        context = {
            **self.admin_site.each_context(request),
            "title": "Erase a client",
            "opts": self.opts,
            "form": form,
            "found": services.held_on(form.cleaned_data["client"]) if is_known else None,
            "may_export": request.user.has_perm(EXPORT),
            "media": self.media,
        }
        return TemplateResponse(request, "messaging/erase.html", context)

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """All that is held on a client, to download. Asked by POST: addresses are logged."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
        client = request.POST.get("client", "")
        answer = StreamingHttpResponse(services.export_client(client), content_type="application/json")
        answer["Content-Disposition"] = 'attachment; filename="client.json"'
        return answer

    def _initial(self, request: HttpRequest) -> dict[str, str]:
        """The client of the message that the address names, which is no client's id."""
        key = request.GET.get("message", "")
        found = Message.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
        return {"client": found.client} if found and self._may_see(request) else {}

    def _may_see(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.view_message")

    def _erase(self, request: HttpRequest, form: ErasureForm) -> HttpResponse:
        try:
            made = services.erase_client(user=request.user, **form.cleaned_data)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return HttpResponseRedirect(reverse("admin:messaging_erasure_add"))
        number = "1 message" if made.messages == 1 else f"{made.messages} messages"
        messages.success(request, f"The client is erased: {number}, and what was kept of them elsewhere.")
        return HttpResponseRedirect(reverse("admin:messaging_erasure_change", args=[made.pk]))
