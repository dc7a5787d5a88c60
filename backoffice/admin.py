"""The admin of other packages' models, in this house's theme. Imported by `urls`, after each has registered its own."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from backoffice.kit.admin import HouseAdmin, ReadOnlyAdmin

# The queue only wakes workers: which work there is, and what became of it, is in the runs and their attempts.
for model in (Schedule, Success, OrmQ, Failure):
    admin.site.unregister(model)


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    """A task that ended in an error of the program itself."""

    list_display = ("name", "func", "started", "stopped")
    fields = ("name", "func", "started", "stopped", "attempt_count", "result")
    search_fields = ("name", "func")


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Failed sign-ins that still count. Deleting them opens the door again."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "path_info")
    fields = ("username", "ip_address", "failures_since_start", "attempt_time", "path_info", "user_agent")
    search_fields = ("username", "ip_address")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return HouseAdmin.has_delete_permission(self, request, obj)  # type: ignore[no-any-return]
