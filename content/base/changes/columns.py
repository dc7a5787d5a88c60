"""The column *Changed* of lists: when and by whom, read for a page at once."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from backoffice.kit.moments import minute
from content.base.changes.filters import ChangedByFilter, ChangedFilter


class ChangedAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows when and by whom each object was changed last, and filters by it."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "changed"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_filter(request), ChangedFilter, ChangedByFilter]

    @admin.display(description=_("Changed"))
    def changed(self, obj: Any) -> SafeString | str:
        row = obj.latest_change
        if row is None:
            return "-"
        return format_html(
            '<span class="content-changed">{} <span class="sync-soft">{}</span></span>',
            minute(row.history_date),
            row.history_author,
        )
