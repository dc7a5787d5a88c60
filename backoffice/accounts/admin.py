from datetime import datetime
from typing import cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from backoffice.accounts.keys_admin import KeysInline
from backoffice.accounts.models import FailedSignIn, User
from backoffice.kit.admin import BackofficeAdmin, ReadOnlyAdmin

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, BackofficeAdmin):  # type: ignore[type-arg, misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (KeysInline,)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[KeysInline], ...]:
        return () if obj is None else self.inlines


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, BackofficeAdmin):  # type: ignore[misc]
    pass


@admin.register(FailedSignIn)
class FailedSignInAdmin(ReadOnlyAdmin):
    """The failed sign-ins that still count. Deleting them ends a lockout."""

    list_display = ("username", "ip_address", "failures", "last", "path_info")
    fields = ("username", "ip_address", "failures", "last", "path_info", "user_agent")
    search_fields = ("username", "ip_address")

    @admin.display(description="Failures", ordering="failures_since_start")
    def failures(self, failed: FailedSignIn) -> int:
        return int(failed.failures_since_start)

    @admin.display(description="Last", ordering="attempt_time")
    def last(self, failed: FailedSignIn) -> datetime:
        return cast(datetime, failed.attempt_time)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(BackofficeAdmin.has_delete_permission(self, request, obj))
