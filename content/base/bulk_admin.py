"""The action *Change …*: new values for fields of the chosen objects, or of all of a filtered list, as an import.

The import shows each old and new value and what will follow before anything is written, and can be undone as one act.
"""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminField
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from backoffice.kit.batches import batched_keys
from backoffice.kit.numbers import grouped
from backoffice.kit.pages import model_page
from content.base.imports import service
from content.base.imports.service import HERE
from content.base.reasons import reason_context, reason_of

CHOSEN, ANSWERED = "_fields", "_change"  # no field of a model begins so
PAGE = 2_000  # keys of one statement
REASON = "Bulk edit"  # in the history, where none is given


class BulkAdmin(ModelAdmin):  # type: ignore[misc]
    """Changes many objects at once, by an import of rows with their keys and new values."""

    def has_bulk_permission(self, request: HttpRequest) -> bool:
        is_allowed = self.has_change_permission(request) and self.has_import_permission(request)
        return bool(is_allowed and self._columns(request))

    @admin.action(description=gettext_lazy("Change …"), permissions=["bulk"])
    def change_chosen(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        """Ask which fields get which values, or start the import of them."""
        form = self._bulk_form(request)
        errors: dict[str, list[str]] = {}
        chosen = [name for name in request.POST.getlist(CHOSEN) if name in form.fields]
        if ANSWERED in request.POST:
            values = self._values(request, form, chosen, errors)
            if not chosen:
                messages.error(request, _("Nothing is changed: tick the fields that get a new value."))
            elif not errors:
                return self._start(request, queryset, values)
        number = queryset.count()
        return model_page(
            self,
            request,
            "content/bulk.html",
            title=_("Change %(names)s") % {"names": self.opts.verbose_name_plural},
            media=self.media + form.media,
            rows=[_Row(form, name, chosen=name in chosen, errors=errors.get(name, [])) for name in form.fields],
            what=ngettext("%(number)s object", "%(number)s objects", number) % {"number": grouped(number)},
            checkbox=ACTION_CHECKBOX_NAME,
            keys=request.POST.getlist(ACTION_CHECKBOX_NAME),
            select_across=request.POST.get("select_across", "0"),
            names={"chosen": CHOSEN, "answered": ANSWERED},
            **reason_context(request),
        )

    # --- details -----------------------------------------------------------------------------------------------------
    def _columns(self, request: HttpRequest) -> list[str]:
        """Return the fields of the form that an import can write too, and that the person may change."""
        resource = self.resource_classes[0]
        importable = {column.attribute: name for name, column in resource().fields.items()}
        key, readonly = self.model._meta.pk.name, self.get_readonly_fields(request)
        names = [name for name in self.get_fields(request) if name not in (key, *readonly)]
        return [name for name in names if self.model._meta.get_field(name).attname in importable]

    def _bulk_form(self, request: HttpRequest) -> forms.ModelForm:  # type: ignore[type-arg]
        form: forms.ModelForm = self.get_form(request, None, change=False, fields=self._columns(request))(  # type: ignore[type-arg]
            request.POST if ANSWERED in request.POST else None
        )
        for field in form.fields.values():
            field.show_hidden_initial = False
        return form

    def _values(
        self,
        request: HttpRequest,
        form: forms.ModelForm,  # type: ignore[type-arg]
        chosen: list[str],
        errors: dict[str, list[str]],
    ) -> dict[str, Any]:
        """Return the new values of the chosen fields as a file has them; those that can't be are named in `errors`."""
        values = {}
        columns = self.resource_classes[0]().fields
        for name in chosen:
            field = form.fields[name]
            try:
                value = field.clean(field.widget.value_from_datadict(request.POST, request.FILES, name))
            except ValidationError as error:
                errors[name] = error.messages
            else:
                column = columns[name]
                values[column.column_name] = column.widget.render(value.pk if isinstance(value, Model) else value)
        return values

    def _start(self, request: HttpRequest, queryset: "QuerySet[Any]", values: dict[str, Any]) -> HttpResponse:
        number = queryset.count()
        names = self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural
        record = service.start_rows(
            model=self.model,
            rows=_rows(queryset, values),
            user=request.user,
            name=_("Change of %(number)s %(names)s") % {"number": grouped(number), "names": names},
            reason=reason_of(request) or REASON,
            here=number <= HERE,
        )
        return redirect(record.get_absolute_url())


class _Row:
    """A field as the page shows it."""

    def __init__(self, form: Any, name: str, *, chosen: bool, errors: list[str]) -> None:
        self.name, self.chosen, self.errors = name, chosen, errors
        self.label = form.fields[name].label
        self.field = AdminField(form, name, is_first=False).field


def _rows(queryset: "QuerySet[Any]", values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each object."""
    key = queryset.model._meta.pk.name
    for page in batched_keys(queryset, PAGE):
        yield from ({key: pk, **values} for pk in page)
