"""The base of the forms of a guided setup: the theme's controls, and answers to "take that?"."""

from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from unfold.widgets import (
    CHECKBOX_CLASSES,
    INPUT_CLASSES,
    RADIO_CLASSES,
    SELECT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from syncer.admin.general_errors import ShowsAllErrors
from syncer.admin.trigger import TriggerWidget

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class StepForm(ShowsAllErrors):
    """A form of one step, in the theme's dress."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            dress(field.widget)
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"help_{name}"


def dress(widget: forms.Widget) -> None:
    """Give a control the theme's classes."""
    if isinstance(widget, TriggerWidget | UnfoldAdminTextInputWidget | UnfoldAdminSelectWidget):
        return
    classes: list[str] = []
    if isinstance(widget, forms.RadioSelect):
        classes = RADIO_CLASSES
    elif isinstance(widget, forms.CheckboxInput):
        classes = CHECKBOX_CLASSES
    elif isinstance(widget, forms.Select):
        classes = SELECT_CLASSES
    elif isinstance(widget, forms.TextInput):
        classes = INPUT_CLASSES
        widget.attrs |= PLAIN
    widget.attrs["class"] = " ".join(classes)


def taken(request: HttpRequest) -> QueryDict:
    """Return what was posted, with what a finding proposed and the person took: `take=url=https://…`."""
    data = request.POST.copy()
    column, is_taken, value = data.get("take", "").partition("=")
    if is_taken:
        data[column] = value
    return data
