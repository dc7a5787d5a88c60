"""API keys in the admin: all staff create and revoke their own keys; a permission shows those of others."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from simple_history.models import HistoricalChanges
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelect2MultipleWidget, UnfoldAdminSelectWidget

from backoffice.accounts import keys
from backoffice.accounts.models import ApiKey, User
from backoffice.accounts.permission_names import name_of
from backoffice.kit.admin import BackofficeAdmin
from backoffice.kit.pages import model_page
from backoffice.kit.ui import chip

DAYS = [(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("a year"))]
STATES = {"works": _("works"), "revoked": _("revoked"), "expired": _("expired")}
CHIPS = {"works": "found", "revoked": "missing", "expired": "gone"}


def permission_choices(user: User) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the permissions of `user` by model: `[("News · post", [("news.add_post", "Can add post")])]`."""
    held = user.get_all_permissions()
    groups: dict[str, list[tuple[str, str]]] = {}
    for permission in Permission.objects.select_related("content_type"):
        model = permission.content_type.model_class()
        name = f"{permission.content_type.app_label}.{permission.codename}"
        # Permissions of history models are left out: nothing checks them.
        if name in held and model is not None and not issubclass(model, HistoricalChanges):
            title = f"{apps.get_app_config(model._meta.app_label).verbose_name} · {model._meta.verbose_name}"
            groups.setdefault(title, []).append((name, name_of(permission)))
    return sorted(groups.items())


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of a new key of `user`, which `ApiKeyAdmin.get_form` sets."""

    user: User
    days = forms.TypedChoiceField(
        label=_("Works for"), choices=DAYS, initial=90, coerce=int, widget=UnfoldAdminSelectWidget
    )
    permissions = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget(attrs={"style": "width: 100%"}),
        help_text=_("What it may do, at most. With full access, leave this empty."),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "full_access")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance._state.adding:  # the page of an existing key has a form too, which saves nothing
            self.instance.user = self.user
        cast(forms.MultipleChoiceField, self.fields["permissions"]).choices = permission_choices(self.user)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.instance.permissions = cleaned.get("permissions", [])
        self.instance.expires = timezone.now() + timedelta(days=cleaned.get("days", 1))
        return cleaned


@admin.register(ApiKey)
class ApiKeyAdmin(BackofficeAdmin):
    form = KeyForm
    list_display = ("name", "user", "shown_prefix", "shown_state", "shown_scope", "expires", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "full_access", "expires")
    search_fields = ("name", "prefix", "user__username")
    list_select_related = ("user",)
    readonly_fields = (
        "user", "name", "shown_prefix", "shown_state", "shown_permissions", "created", "expires", "revoked_at",
        "last_used_at",
    )  # fmt: skip
    add_fields = ("name", "days", "full_access", "permissions")
    change_form_outer_before_template = "accounts/key_head.html"

    # --- permissions -------------------------------------------------------------------------------------------------
    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return obj is None or obj.user_id == request.user.pk or sees_all(request)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # a key is only revoked

    def may_revoke(self, request: HttpRequest, key: ApiKey) -> bool:
        return key.user_id == request.user.pk or request.user.has_perm("accounts.change_apikey")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ApiKey]":
        rows: QuerySet[ApiKey] = super().get_queryset(request)
        return rows if sees_all(request) else rows.filter(user=request.user.pk)

    # --- pages -------------------------------------------------------------------------------------------------------
    def get_fieldsets(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> list[tuple[None, dict[str, tuple[str, ...]]]]:
        return [(None, {"fields": self.add_fields if obj is None else self.readonly_fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, **options: Any) -> type[KeyForm]:
        if obj is None:
            options["fields"] = ("name", "full_access")  # the other fields are declared by the form
        form: type[KeyForm] = super().get_form(request, obj, **options)
        form.user = cast(User, request.user)
        return form

    @admin.display(description=_("begins with"), ordering="prefix")
    def shown_prefix(self, key: ApiKey) -> SafeString:
        return format_html("<code>bo_{}</code>", key.prefix)

    @admin.display(description=_("state"))
    def shown_state(self, key: ApiKey) -> SafeString:
        return chip(CHIPS[key.state], str(STATES[key.state]))

    @admin.display(description=_("may do"))
    def shown_scope(self, key: ApiKey) -> str:
        if key.full_access:
            return gettext("all that its owner may")
        number = len(key.permissions)
        return ngettext("%(number)s permission", "%(number)s permissions", number) % {"number": number}

    @admin.display(description=_("may do"))
    def shown_permissions(self, key: ApiKey) -> SafeString | str:
        return format_html_join("", "<div>{}</div>", ((name,) for name in key.permissions)) or self.shown_scope(key)

    def render_change_form(self, request: HttpRequest, context: dict[str, object], **options: Any) -> HttpResponse:
        key = options.get("obj")
        context.update(
            show_save_and_add_another=False,
            show_save_and_continue=False,
            revocable=key if key and key.state == "works" and self.may_revoke(request, key) else None,
        )
        return cast(HttpResponse, super().render_change_form(request, context, **options))

    # --- actions -----------------------------------------------------------------------------------------------------
    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:  # noqa: FBT001 - Django's signature
        obj.secret = obj.seal()
        obj.save()

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key in the answer itself: a message or a session would store it."""
        page = model_page(self, request, "accounts/key_made.html", title=gettext("Your new API key"), key=obj)
        page["Cache-Control"] = "no-store"
        return page

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke)
        return [path("<int:pk>/revoke/", revoke, name="accounts_apikey_revoke"), *super().get_urls()]

    @method_decorator(require_POST)
    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Revoke a key for good."""
        key = self.get_object(request, str(pk))
        if key is None:
            raise Http404
        if not self.may_revoke(request, key):
            raise PermissionDenied
        if keys.revoke(key):
            self.log_change(request, key, "Revoked.")
        messages.success(request, gettext("%(key)s is revoked: it signs nobody in any more.") % {"key": key})
        if "sessions" not in request.POST:  # the page of the key
            return HttpResponseRedirect(reverse("admin:accounts_apikey_change", args=[key.pk]))
        if key.user_id == request.user.pk:
            return HttpResponseRedirect(reverse("admin:accounts_user_sessions"))
        return HttpResponseRedirect(reverse("admin:accounts_user_sessions_of", args=[key.user_id]))


class KeysInline(TabularInline):  # type: ignore[misc]
    """The keys of a user, shown on their page because a new password, which is set there, ends none."""

    model = ApiKey
    extra = max_num = 0
    can_delete = False
    show_change_link = True
    hide_title = True
    fields = readonly_fields = ("name", "shown_state", "expires", "last_used_at")

    @admin.display(description=_("state"))
    def shown_state(self, key: ApiKey) -> SafeString | None:
        """Return the state; None of a key that is not there, of which a form said that it was."""
        return chip(CHIPS[key.state], str(STATES[key.state])) if key.pk else None

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return sees_all(request)


def sees_all(request: HttpRequest) -> bool:
    return any(map(request.user.has_perm, ("accounts.view_apikey", "accounts.change_apikey")))
