"""Filters for the admin's lists."""

from typing import Any

from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm


class VisibleChoiceForm(AutocompleteDropdownForm):  # type: ignore[misc]
    def __init__(self, request: HttpRequest, name: str, *args: Any, **options: Any) -> None:
        super().__init__(request, name, *args, **options)
        choice: Any = self.fields[name]
        choice.queryset = choice.queryset.visible_to(request.user)


class VisibleSelectFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    """A filter by a content object that the user can see.

    The theme's own filter shows the name of any object whose key is in the address.
    """

    form_class = VisibleChoiceForm
