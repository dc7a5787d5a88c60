"""Filters of the admin's lists."""

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.utils import parse_datetime_str

ENDS = {"from": ("gte", "00:00:00"), "to": ("lte", "23:59:59")}  # the lookup, and the time for a day without one


class TimeRangeFilter(RangeDateTimeFilter):  # type: ignore[misc]
    """Filters by times in the page's time zone; the theme's filter passes naive times, which makes Django warn."""

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Model]") -> "QuerySet[Model]":
        for end, (lookup, time) in ENDS.items():
            day, given = (self.used_parameters.get(f"{self.parameter_name}_{end}_{part}") for part in (0, 1))
            if not day:
                continue
            at = parse_datetime_str(f"{day} {given or time}")
            if at is None:
                raise IncorrectLookupParameters
            queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": make_aware(at)})
        return queryset
