"""What every admin page of the house shares."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class HouseAdmin(ModelAdmin):  # type: ignore[misc]
    """The base of every registered model's admin."""

    list_per_page = 50
    list_max_show_all = 200
    # An exact count of a big table costs as much as the page itself; the one that pages the list is enough.
    show_full_result_count = False
    list_filter_submit = True
    warn_unsaved_form = True


class ReadOnlyAdmin(HouseAdmin):
    """Rows that the program writes and people only look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
