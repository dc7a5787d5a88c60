"""The admin of other packages' models, in this house's theme. Imported by `urls`, after each has registered its own."""

from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success

from backoffice.kit.admin import ReadOnlyAdmin

# The queue only wakes workers: which work there is, and what became of it, is in the runs and their attempts.
for model in (Schedule, Success, OrmQ, Failure):
    admin.site.unregister(model)


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    """A task that ended in an error of the program itself."""

    list_display = ("name", "func", "started", "stopped")
    fields = ("name", "func", "started", "stopped", "attempt_count", "result")
    search_fields = ("name", "func")
