"""Register other packages' models in our theme. Imported by `urls`, after each package has registered its own."""

from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success

from backoffice.kit.admin import ReadOnlyAdmin

# The queue only wakes workers: the work and its results are in the runs and their attempts.
for model in (Schedule, Success, OrmQ, Failure):
    admin.site.unregister(model)


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    """Tasks that ended in an error of the program itself."""

    list_display = ("name", "func", "started", "stopped")
    fields = ("name", "func", "started", "stopped", "attempt_count", "result")
    search_fields = ("name", "func")
