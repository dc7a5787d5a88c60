"""Alerts: what operators were notified of, and how it was delivered."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from backoffice.kit.filters import TimeRangeFilter
from backoffice.kit.phrase_field import localized
from syncer.admin.parts import EngineRowsAdmin, chip
from syncer.engine.ceiling import without_address
from syncer.models import Alert


@admin.register(Alert)
class AlertAdmin(EngineRowsAdmin):
    list_display = (
        "at",
        "target",
        "shown_kind",
        "shown_reason",
        "shown_outcome",
        "mailed_at",
        "posted_at",
        "failed_because",
    )
    list_display_links = ("at",)
    list_select_related = ("target",)
    list_filter = (
        ("target", RelatedDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("outcome", ChoicesDropdownFilter),
        ("at", TimeRangeFilter),
    )
    empty_text = gettext_lazy("Nobody had to be notified of anything.")
    list_after_template = "syncer/legend_of_list.html"
    legend = (
        "alert, unhealthy, healthy again, deletes wait, to be sent, notified, cleared before anybody was notified, "
        "no channel is set up, given up"
    )
    fields = (
        "target", "at", "shown_kind", "shown_reason", "ended_at", "shown_outcome", "mailed_at", "posted_at", "tries",
        "not_before", "failed_because",
    )  # fmt: skip
    readonly_fields = ("shown_kind", "shown_reason", "shown_outcome", "failed_because")

    @admin.display(description=gettext_lazy("what"), ordering="kind")
    def shown_kind(self, alert: Alert) -> SafeString:
        return chip(Alert.Kind(alert.kind).label.lower(), alert.get_kind_display())

    @admin.display(description=gettext_lazy("why"))
    def shown_reason(self, alert: Alert) -> SafeString | str:
        text = localized(without_address(alert.reason)).rstrip()
        if alert.kind != Alert.Kind.DELETES:
            return text
        url = reverse("admin:syncer_target_deletes", args=[alert.target_id])
        return format_html('{} <a class="sync-link" href="{}">{}</a>', text, url, _("Review"))

    @admin.display(description=gettext_lazy("error"))
    def failed_because(self, alert: Alert) -> str:
        return localized(alert.error)

    @admin.display(description=gettext_lazy("outcome"), ordering="outcome")
    def shown_outcome(self, alert: Alert) -> SafeString:
        return chip(Alert.Outcome(alert.outcome).label.lower(), alert.get_outcome_display())
