"""Filters of lists by when, and by whom, an object was changed."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from backoffice.kit.estimates import MOST
from content.base.changes.reading import Wanted

DAYS = {"today": (0, _("today")), "yesterday": (1, _("since yesterday")), "week": (7, _("in the last 7 days"))}
WHEN, WHO = "changed", "changed_by"


def beginning(days: int) -> datetime:
    """Return the beginning of the day so many days ago, in the person's time zone."""
    return localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


def changed(request: HttpRequest, model: Any) -> Q:
    """Return the condition for objects with a change that fits both filters; of the newest MOST such changes."""
    since = DAYS.get(request.GET.get(WHEN, ""))
    person = request.GET.get(WHO, "").replace("\0", "").strip()
    wanted = Wanted(models=[model], person=person, since=beginning(since[0]) if since else None)
    return Q(pk__in=wanted.rows(model).values(model._meta.pk.attname)[:MOST])


class ChangedFilter(DropdownFilter):  # type: ignore[misc]
    title = _("time of change")
    parameter_name = WHEN

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [(word, text) for word, (_days, text) in DAYS.items()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(changed(request, queryset.model)) if self.value() in DAYS else queryset


class ChangedByFilter(TextFilter):  # type: ignore[misc]
    """Filters by the name of an account."""

    title = _("person who changed it")
    parameter_name = WHO

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        is_done = request.GET.get(WHEN, "") in DAYS  # by the other filter, which finds changes that fit both
        if not (self.value() or "").strip() or is_done:
            return queryset
        return queryset.filter(changed(request, queryset.model))
