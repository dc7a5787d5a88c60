"""Base classes of every model's admin."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList as ThemeList

from backoffice.kit.estimates import BoundedPaginator, FoundPaginator


class BackofficeList(ThemeList):  # type: ignore[misc]
    """A list that is sorted by the chosen columns and the key, in the direction of the first, as indexes are.

    Django sorts equal values by the default order of the list, for which no index has them. And it takes any lookup of
    any field from the address, such as a regular expression that a database tries for ever.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        """Return what Django's method returns.

        Raises:
            BadRequest: the address holds a parameter of no filter of this list.
        """
        found = super().get_filters(request)
        if strange := sorted({*found[2]} - {*self.model_admin.linked_lookups}):
            text = _("This list has no filter “%(name)s”. Open the list and choose one of the filters that it offers.")
            raise BadRequest(text % {"name": Truncator(strange[0]).chars(50)})
        return found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # else the heading has "(Show all)" on a list that shows all

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        order: list[Any] = super().get_ordering(request, queryset)
        if not self.params.get(ORDER_VAR) or not isinstance(order[0], str):
            return order
        default = {*queryset.query.order_by, "pk", "-pk"}
        chosen = [order[0], *(column for column in order[1:] if column not in default)]
        return [*chosen, "-pk" if order[0].startswith("-") else "pk"]


class BackofficeAdmin(ModelAdmin):  # type: ignore[misc]
    """The base of every registered model's admin."""

    list_per_page = 50
    list_max_show_all = 200
    # An exact count of a big table costs more than the page itself.
    show_full_result_count = False
    list_filter_submit = True
    linked_lookups: Sequence[str] = ()  # parameters of links to this list for which it shows no filter
    empty_text: str | Promise = ""  # what a list without any row says; empty: that there are none yet
    warn_unsaved_form = True

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Turn values that only the database refuses (a NUL, a number too large for its column) into Django's redirect.

        Raises:
            IncorrectLookupParameters: a parameter of the list can't be looked up.
        """
        try:
            for field in self._links():  # Django reads the value of such a filter only in the template
                if value := request.GET.get(f"{field.name}__{field.target_field.name}__exact"):
                    field.target_field.clean(value, None)
            return cast(ChangeList, super().get_changelist_instance(request))
        except (ValueError, OverflowError, ValidationError, DataError) as error:
            if not request.GET:
                raise
            raise IncorrectLookupParameters from error

    def get_changelist(self, request: HttpRequest, **_: object) -> type[ChangeList]:
        return BackofficeList

    def get_paginator(self, request: HttpRequest, *args: Any, **options: Any) -> "Paginator[Any]":
        return (FoundPaginator if request.GET.get(SEARCH_VAR) else BoundedPaginator)(*args, **options)

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Return the newest first by default; without any order the pages of a list would overlap."""
        return cast(Sequence[str], self.ordering or self.opts.ordering or ("-pk",))

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        search_term = search_term.replace("\0", "")
        return cast(tuple[QuerySet[Any], bool], super().get_search_results(request, queryset, search_term))

    def response_action(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase | None:
        try:
            for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.clean(key, None)
        except ValidationError as error:
            raise BadRequest(_("What was chosen is not on the list.")) from error
        return cast(HttpResponseBase | None, super().response_action(request, queryset))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out keys of related objects that are not valid keys."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        for field in self._links():
            if field.name in initial:
                try:
                    field.target_field.clean(initial[field.name], None)
                except ValidationError:
                    del initial[field.name]
        return initial

    def _links(self) -> list[Any]:
        return [field for field in self.opts.concrete_fields if field.is_relation]


class ReadOnlyAdmin(BackofficeAdmin):
    """The admin of rows that the program writes and people only read, which have no history of changes by people."""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **options: Any) -> HttpResponse:
        return cast(HttpResponse, super().render_change_form(request, context | {"show_history": False}, **options))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
