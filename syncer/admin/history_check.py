"""Content that was changed without history: what the last looks found, and what a person can have done about it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.views import ChangeList

from syncer import silent
from syncer.admin.parts import MAY_SYNC, Named, named_keys
from syncer.admin.run import EngineRowsAdmin
from syncer.models import HistoryCheck
from syncer.silent import Look


class HistoryCheckList(ChangeList):  # type: ignore[misc]
    """Finds the rows that the looks name, as this person may see them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for check in self.result_list:
            objects = named_keys(request, check.model, [key for key, _ in check.sample])
            check.named = [(objects[key], kind) for key, kind in check.sample]


@admin.register(HistoryCheck)
class HistoryCheckAdmin(EngineRowsAdmin):
    list_display = ("model", "checked_at", "found", "recorded", "rows")
    list_display_links = None
    list_before_template = "syncer/history_check_bar.html"
    actions = ("look_now", "record_found")

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[HistoryCheckList]:
        return HistoryCheckList

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_SYNC)

    @admin.action(description="Look now", permissions=["sync"])
    def look_now(self, request: HttpRequest, queryset: "QuerySet[HistoryCheck]") -> None:
        self._ask(request, queryset, record=False)
        messages.success(request, "A worker looks now; what it finds is shown here when it has ended.")

    @admin.action(description="Record what was found", permissions=["sync"])
    def record_found(self, request: HttpRequest, queryset: "QuerySet[HistoryCheck]") -> None:
        for check in queryset:
            self.log_change(request, check, "Record what was found.")
        self._ask(request, queryset, record=True)
        messages.success(request, "A worker looks again, and writes the history that is missing; then it travels.")

    def _ask(self, request: HttpRequest, queryset: "QuerySet[HistoryCheck]", *, record: bool) -> None:
        for check in queryset:
            silent.ask(Look(model=check.model, record=record, user_id=request.user.pk))

    @admin.display(description="rows")
    def rows(self, check: Any) -> SafeString | str:
        more = f" … and {check.found - len(check.named)} more" if check.found > len(check.named) else ""
        shown = [(_name(found), kind) for found, kind in check.named]
        if not shown:
            return "-"
        # One element: on a phone the theme lays the parts of a cell out side by side, and cuts what has no room.
        return format_html("<span>{}{}</span>", format_html_join(", ", "{} was {}", shown), more)


def _name(found: Named) -> SafeString | str:
    return format_html('<a class="sync-link" href="{}">{}</a>', found.url, found.name) if found.url else found.name
