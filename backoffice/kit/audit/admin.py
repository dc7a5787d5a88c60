"""The audit trail in the admin: everybody with the permission reads it, nobody changes it."""

from django.apps import apps
from django.contrib import admin
from django.urls import NoReverseMatch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from backoffice.kit.admin import ReadOnlyAdmin
from backoffice.kit.audit.models import Entry
from backoffice.kit.filters import ExactFilter, TimeRangeFilter
from backoffice.kit.urls import admin_url

SHOWN = 80  # characters of the details of an act that has no one subject, such as holding many objects


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "who", "subject", "address")
    list_filter = (
        ("at", TimeRangeFilter),
        ("action", ChoicesDropdownFilter),
        ("actor_name", ExactFilter),
        ("address", ExactFilter),
    )
    fields = ("at", "action", "who", "subject", "shown_details", "address", "request_id")
    readonly_fields = fields

    @admin.display(description=_("who"), ordering="actor_name")
    def who(self, entry: Entry) -> str:
        return entry.actor_name or "-"

    @admin.display(description=_("to what"))
    def subject(self, entry: Entry) -> SafeString | str:
        """Return the subject's kind and name, linked to its page; it may be gone by now."""
        try:
            model = apps.get_model(entry.subject_type)
            opts = model._meta
            url = admin_url(model, "change", entry.subject_id)
        except (LookupError, ValueError, NoReverseMatch):  # none, or its domain is gone, or it has no page
            text = f"{entry.subject_type} {entry.subject_name or entry.subject_id}".strip()
            return text or Truncator("; ".join(_lines(entry))).chars(SHOWN) or "-"
        return format_html(
            '{} <a class="sync-link" href="{}">{}</a>', opts.verbose_name, url, entry.subject_name or entry.subject_id
        )

    @admin.display(description=_("details"))
    def shown_details(self, entry: Entry) -> SafeString | str:
        return format_html_join("", "<div>{}</div>", ([line] for line in _lines(entry))) or "-"


def _lines(entry: Entry) -> list[str]:
    return [f"{name}: {_as_text(value)}" for name, value in entry.details.items()]


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
