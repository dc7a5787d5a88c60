"""Rows of ordinary inputs in place of a JSON column.

The number of columns gives the shape of the value: one, `["userId"]`; two, `{"userId": "user_id"}`; three,
`{"state": {"DELIVERED": "completed"}}`. The rows are numbered from 1 in labels and messages. The module has over
300 lines because column, widget, field and form share the names and numbers of the inputs.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from syncer.admin.parts import EngineAdmin
from syncer.models.mapping import NOT_STORABLE, is_storable

Section = tuple[str | Promise | None, dict[str, Any]]  # one of Django's fieldsets
Row = tuple[str, ...]  # the texts of its cells
Names = Callable[[], Mapping[str, Iterable[str]]]  # {"news.Post": names}; names that fit every model are under ""

SPARE = 2  # empty rows at the end, for browsers without JavaScript
AS_JSON = gettext_lazy('A value such as 5, true, null, [1, 2] or "5" is read as JSON; any other is text.')


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the rows.

    Attributes:
        title: what its cells hold, in lower case.
        is_json: whether a cell that reads as JSON is that value; otherwise every cell is text.
        may_be_empty: whether an empty cell is an empty text; otherwise it is refused.
        choices: the only names that fit, offered as a select.
        suggestions: names that are suggested.
        names_of: the rows whose first column is suggested, where the form has them: "fields".
        described: what choices are called in the select, `{name: text}`; by default, their names.
    """

    title: str | Promise
    is_json: bool = False
    may_be_empty: bool = False
    choices: Names | None = None
    suggestions: Names | None = None
    names_of: str = ""
    described: Callable[[], Mapping[str, str]] = dict

    def of(self, labels: Collection[str]) -> "Column":
        """Return the column with the names of these models only."""
        return replace(self, choices=_only(labels, self.choices), suggestions=_only(labels, self.suggestions))

    def read(self, cell: str) -> object:
        """Return the value of a cell."""
        return _value(cell) if self.is_json else cell

    def written(self, value: object) -> str:
        """Return the cell of a value; text that a cell would not give back as it is stands in quotes."""
        is_plain = isinstance(value, str) and (
            not self.is_json or (value.isprintable() and value.strip() == value != "" and _value(value) == value)
        )
        return str(value) if is_plain else json.dumps(value, ensure_ascii=False)


def _only(labels: Collection[str], names: Names | None) -> Names | None:
    return names and (lambda: {label: offered for label, offered in names().items() if label in labels})


def _value(cell: str) -> object:
    """Return the JSON value that a cell reads as, else its text; by RFC 8259, NaN and Infinity are not JSON."""
    try:
        return json.loads(cell, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return cell


def _not_json(name: str) -> object:
    raise ValueError(name)


class RowsWidget(forms.Widget):
    """Rows of inputs and selects, with buttons to add and remove rows where JavaScript runs."""

    template_name = "syncer/rows.html"
    label = ""
    refused: frozenset[int] = frozenset()  # the numbers of the rows that have an error

    class Media:
        js = (forms.Script("syncer/rows.js", defer=True),)

    def __init__(self, columns: tuple[Column, ...]) -> None:
        super().__init__()
        self.columns = columns

    def id_for_label(self, id_: str) -> str:
        return f"{id_}-0-0"

    def value_omitted_from_data(self, data: Mapping[str, Any], files: object, name: str) -> bool:
        return not any(key.startswith(f"{name}-") for key in data)

    def value_from_datadict(self, data: Mapping[str, Any], files: object, name: str) -> tuple[Row, ...]:
        """Return the rows that were sent, without the empty ones. The cells `NAME-ROW-COLUMN` give their order."""
        numbers = {int(match[1]) for key in data if (match := re.fullmatch(rf"{name}-([0-9]{{1,6}})-[0-9]", key))}
        rows = (
            tuple(str(data.get(f"{name}-{number}-{place}", "")).strip() for place in range(len(self.columns)))
            for number in sorted(numbers)
        )
        return tuple(row for row in rows if any(row))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        names = [(column.choices or column.suggestions or dict)() for column in self.columns]
        spare = ("",) * len(self.columns)
        context["widget"] |= {
            "label": self.label,
            "columns": [
                {"title": column.title, "names": offered, "names_of": column.names_of, "place": place}
                for place, (column, offered) in enumerate(zip(self.columns, names, strict=True))
            ],
            "rows": [
                (
                    number in self.refused,
                    [self._cell(name, number, place, row[place], names) for place in range(len(row))],
                )
                for number, row in enumerate([*(value or ()), *[spare] * SPARE], start=1)
            ],
        }
        return context

    def _cell(
        self, name: str, number: int, place: int, text: str, names: list[Mapping[str, Iterable[str]]]
    ) -> SafeString:
        """Return the input or select of one cell; a select keeps a text that is not among its choices."""
        column, id_ = self.columns[place], f"id_{name}-{number - 1}-{place}"
        attrs = {
            "id": id_,
            "aria-label": _("%(label)s: %(column)s, row %(number)s")
            % {"label": self.label, "column": column.title, "number": number},
        }
        if number in self.refused:
            attrs["aria-invalid"] = "true"
        if column.choices is None:
            attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
            if column.suggestions or column.names_of:
                attrs["list"] = f"id_{name}-names-{place}"
            widget: forms.Widget = UnfoldAdminTextInputWidget()
        else:
            described = column.described()
            groups: list[Any] = [
                (label, [(item, described.get(item, item)) for item in items]) for label, items in names[place].items()
            ]
            unknown = [text] if text and not any(text in items for items in names[place].values()) else []
            widget = UnfoldAdminSelectWidget(choices=[("", ""), *((item, item) for item in unknown), *groups])
        return widget.render(f"{name}-{number - 1}-{place}", text, attrs)


class RowsField(forms.Field):
    """A JSON value as rows, see `Column`."""

    widget: RowsWidget

    def __init__(self, *, columns: tuple[Column, ...], **options: Any) -> None:
        super().__init__(**{**options, "widget": RowsWidget(columns)})
        self.columns = columns

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        self.widget.label = str(self.label)
        return super().get_bound_field(form, field_name)

    def prepare_value(self, value: Any) -> tuple[Row, ...]:
        return value if isinstance(value, tuple) else rows_of(self.columns, value)

    def to_python(self, value: tuple[Row, ...] | None) -> Any:
        """Return the JSON value of rows.

        Raises:
            ValidationError: a row lacks a cell, repeats the names of another, or has what can't be stored.
        """
        keys: list[Row] = []
        refused: list[ValidationError] = []
        result: Any = [] if len(self.columns) == 1 else {}
        for number, row in enumerate(value or (), start=1):
            key, last = row[:-1] or row, self.columns[-1].read(row[-1])
            missing = next((c for c, cell in zip(self.columns, row, strict=True) if not (cell or c.may_be_empty)), None)
            if missing:
                text = _("The %(column)s is missing. Enter it, or clear the row.")
                if missing.is_json:
                    text = _('The %(column)s is missing. Enter it ("" is an empty text), or clear the row.')
                refused.append(self.refuse(number, text % {"column": missing.title}))
            elif key in keys:
                text = _("It has the same name as row %(number)s. Remove one.")
                refused.append(self.refuse(number, text % {"number": keys.index(key) + 1}))
            elif not is_storable(_put([] if isinstance(result, list) else {}, key, last)):
                refused.append(self.refuse(number, f"{NOT_STORABLE}."))
            else:
                _put(result, key, last)
            keys.append(key)
        if refused:
            raise ValidationError(refused)
        return result

    def refuse(self, number: int, message: str) -> ValidationError:
        """Mark a row as refused, and return the error that names it."""
        self.widget.refused |= {number}
        return ValidationError(_("Row %(number)s: %(message)s"), params={"number": number, "message": message})

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            before, now = self.to_python(self.prepare_value(initial)), self.to_python(data)
        except ValidationError:
            return True
        return json.dumps(before, sort_keys=True) != json.dumps(now, sort_keys=True)  # True is not 1, as `==` says


def _put(result: Any, key: Row, value: object) -> Any:
    """Add a row to a JSON value, and return the value."""
    if isinstance(result, list):
        result.append(value)
        return result
    inner = result
    for name in key[:-1]:
        inner = inner.setdefault(name, {})
    inner[key[-1]] = value
    return result


def rows_of(columns: tuple[Column, ...], value: object) -> tuple[Row, ...]:
    """Return the rows of a JSON value; none of one that has another shape."""
    rows: list[tuple[object, ...]] = []
    if isinstance(value, list) and len(columns) == 1:
        rows = [(item,) for item in value]
    elif isinstance(value, dict) and len(columns) == 2:
        rows = list(value.items())
    elif isinstance(value, dict) and len(columns) == 3:
        inner = {name: pairs for name, pairs in value.items() if isinstance(pairs, dict)}
        rows = [(name, *pair) for name, pairs in inner.items() for pair in pairs.items()]
    return tuple(tuple(column.written(cell) for column, cell in zip(columns, row, strict=True)) for row in rows)


class RowsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose errors inside a JSON column, at `params["at"]`, name the row."""

    def _update_errors(self, errors: ValidationError) -> None:
        by_name = getattr(errors, "error_dict", {})
        rows = {name: field for name, field in self.fields.items() if isinstance(field, RowsField)}
        are_unread = any(name in self._errors for name in rows)  # type: ignore[attr-defined]
        for name, field in rows.items():
            if are_unread:  # the model checked the columns against the old value of another
                by_name.pop(name, None)
            elif name in by_name:
                by_name[name] = [self._of_row(name, field, error) for error in by_name[name]]
        super()._update_errors(errors)  # type: ignore[misc]

    def _of_row(self, name: str, field: RowsField, error: ValidationError) -> ValidationError:
        at = (error.params or {}).get("at")
        for position, row in enumerate(self[name].value()):
            if at == position or at == row[0]:
                return field.refuse(position + 1, " ".join(error.messages))
        return error


class RowsAdmin(EngineAdmin):
    """The admin of a table whose JSON columns are edited as rows, and read as a table; `rows` has their columns."""

    rows: Mapping[str, tuple[Column, ...]] = {}

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        if columns := self.columns(request, db_field.name):
            # JSONField's own `formfield` passes what only a form field for JSON text takes.
            own = {"form_class": RowsField, "columns": columns, "show_hidden_initial": False}
            return models.Field.formfield(db_field, **{**options, **own})
        return super().formfield_for_dbfield(db_field, request, **options)

    def columns(self, request: HttpRequest, name: str) -> tuple[Column, ...]:
        """Return the columns of a JSON column's rows; none of any other column."""
        return self.rows.get(name, ())

    def readable(self, request: HttpRequest, obj: models.Model | None, sections: Iterable[Section]) -> list[Section]:
        """Return fieldsets with tables in place of the JSON columns, if this person may only read them."""
        if obj is None or self.has_change_permission(request, obj):
            return [*sections]
        tables = {name: self._table(name) for name in self.rows}

        def swapped(line: Any) -> Any:
            return tables.get(line, line) if isinstance(line, str) else tuple(map(swapped, line))

        return [(title, {**options, "fields": [*map(swapped, options["fields"])]}) for title, options in sections]

    def _table(self, name: str) -> Callable[[models.Model], SafeString | str]:
        """Return a column of the page, as Django's `readonly_fields` take it, in place of the JSON column `name`."""

        def table(obj: models.Model) -> SafeString | str:
            titles = [column.title for column in self.rows[name]]
            rows = [[*zip(titles, row, strict=True)] for row in rows_of(self.rows[name], getattr(obj, name))]
            return render_to_string("syncer/rows_table.html", {"titles": titles, "rows": rows}) if rows else "-"

        table.__name__ = name  # by which Django finds the help text
        table.short_description = self.opts.get_field(name).verbose_name  # type: ignore[attr-defined]
        return table
