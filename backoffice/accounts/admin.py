from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm

from backoffice.accounts.granting import groups_to_give, has_all, may_manage, may_manage_group, permissions_to_give
from backoffice.accounts.keys_admin import KeysInline
from backoffice.accounts.models import User
from backoffice.accounts.permission_names import PermissionsField
from backoffice.accounts.preferences import my_settings
from backoffice.accounts.roles import BY_SLUG
from backoffice.accounts.second_factor.account_admin import SecondFactorOfAccount, SecondFactorOfGroup
from backoffice.accounts.sessions_admin import my_sessions, sessions_page
from backoffice.accounts.user_forms import AccountCreationForm, AccountForm, in_order
from backoffice.kit.admin import BackofficeAdmin

admin.site.unregister(Group)


class GivingAdmin(BackofficeAdmin):
    """Its forms offer, and change, only what the giver has. See `backoffice.accounts.granting`."""

    def may_manage(self, request: HttpRequest, obj: Any) -> bool:
        """Return whether the person may change this object: it gives no permission that they lack."""
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return bool(allowed) and (obj is None or self.may_manage(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return bool(allowed) and (obj is None or self.may_manage(request, obj))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.related_model is Permission:
            options |= {"queryset": permissions_to_give(request.user), "form_class": PermissionsField}
        elif db_field.related_model is Group:
            options["queryset"] = groups_to_give(request.user).filter(role=None)  # roles have a field of their own
        return super().formfield_for_manytomany(db_field, request, **options)


@admin.register(User)
class UserAdmin(SecondFactorOfAccount, DjangoUserAdmin, GivingAdmin):  # type: ignore[type-arg, misc]
    form = AccountForm
    add_form = AccountCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (KeysInline,)
    actions_detail = ("sessions_of",)
    list_display = ("username", "email", "first_name", "last_name", "shown_roles", "is_staff", "is_active")
    list_filter = ("groups", "is_staff", "is_superuser", "is_active")
    readonly_fields = ("last_login", "date_joined", "second_factor_at")
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        (_("What it may do"), {"fields": ("roles",)}),
    )
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("What it may do"), {"fields": ("is_active", "is_staff", "roles")}),
        (_("Personal info"), {"fields": ("first_name", "last_name", "email", "language", "time_zone")}),
        (_("More groups, and single permissions"), {"fields": ("is_superuser", "groups", "user_permissions")}),
        (_("Important dates"), {"fields": ("last_login", "date_joined", "second_factor_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return cast("QuerySet[User]", super().get_queryset(request)).prefetch_related("groups__role")

    @admin.display(description=_("roles"))
    def shown_roles(self, account: User) -> str:
        if account.is_superuser:
            return gettext("superuser")
        groups = account.groups.all()
        return (
            ", ".join(gettext(group.name) for group in in_order(group for group in groups if hasattr(group, "role")))
            or "-"
        )

    # What a person who may not change the account sees in place of the form's field.
    roles = shown_roles

    # --- permissions -------------------------------------------------------------------------------------------------
    def may_manage(self, request: HttpRequest, obj: User) -> bool:
        return may_manage(request.user, obj)

    def has_end_sessions_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        account = self.get_object(request, str(object_id))
        return account is not None and self.has_change_permission(request, account)

    # --- pages -------------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        own = {"settings": my_settings, "sessions": my_sessions}
        views = {name: self.admin_site.admin_view(view) for name, view in own.items()}
        paths = [path(f"{name}/", view, name=f"accounts_user_{name}") for name, view in views.items()]
        return [*paths, *super().get_urls()]

    @action(  # type: ignore[untyped-decorator]
        description=_("Sessions and keys"), url_path="sessions", permissions=["end_sessions"], icon="devices"
    )
    def sessions_of(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the sessions and keys of a person to whoever may change their account."""
        account = cast(User, self.get_object(request, object_id))
        return sessions_page(request, account, gettext("Sessions and keys of %(name)s") % {"name": account})

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[KeysInline], ...]:
        return () if obj is None else self.inlines

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        own = () if has_all(request.user) else ("is_superuser",)
        return (*super().get_readonly_fields(request, obj), *own)

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **options: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **options)
        form.giver = request.user
        return form


@admin.register(Group)
class GroupAdmin(SecondFactorOfGroup, DjangoGroupAdmin, GivingAdmin):  # type: ignore[misc]
    list_display = ("name", "about")

    @admin.display(description=_("what it is"))
    def about(self, group: Group) -> str:
        role = BY_SLUG.get(group.role.slug) if hasattr(group, "role") else None
        return "-" if role is None else gettext("A ready role. %(about)s") % {"about": role.about}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).select_related("role")

    def may_manage(self, request: HttpRequest, obj: Group) -> bool:
        return may_manage_group(request.user, obj)
