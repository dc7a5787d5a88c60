"""Filters of the admin's lists."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.contrib.filters.forms import SearchForm
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


class ExactFilter(admin.FieldListFilter):
    """Filters by a whole value that is typed in, which an index finds; the theme's filter looks inside of texts."""

    template = "unfold/filters/filters_field.html"

    def expected_parameters(self) -> list[str | None]:
        return [self.field_path]

    def choices(self, changelist: Any) -> Iterator[Any]:
        value = cast("list[str]", self.used_parameters.get(self.field_path, [""]))[-1]
        yield {"form": SearchForm(name=self.field_path, label=self.title, data={self.field_path: value})}
