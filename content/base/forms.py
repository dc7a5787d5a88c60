"""Forms that save only the fields that the user changed, whatever others saved while the form was open."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from unfold.forms import PaginationInlineFormSet

from backoffice.kit.history import column_values
from backoffice.kit.permissions import Person, Write, refusals

PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class TextField(forms.CharField):
    """A text field that counts as changed only if the user changed it.

    Browsers send every line break as CR LF and drop the line breaks of a one-line field, and forms strip white space.
    So without normalization, opening and sending a form would change such a text.
    """

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self._normalized(initial) != self._normalized(data)

    def _normalized(self, value: object) -> str:
        text = str(self.to_python(value) or "")
        return text if isinstance(self.widget, forms.Textarea) else text.replace("\n", "").replace("\r", "")


class EmailField(TextField, forms.EmailField):
    """A TextField for an email address."""


class ContentForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of a content object.

    Each field also sends its initial value (Django's `show_hidden_initial`). So `changed_data` lists the fields that
    the user changed. A field that only somebody else changed meanwhile keeps the stored value; a field that both
    changed is an error.
    """

    user: Any = None  # the editor; None for a program, which may do everything

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.instance._state.adding:
            for name in self.changed_data:
                self._check_overtaken(name)
        return cleaned

    def _post_clean(self) -> None:
        obj = self.instance
        write = Write("add", obj) if obj._state.adding else Write("change", obj, column_values(obj))
        super()._post_clean()  # type: ignore[misc]
        for refusal in refusals(write, Person(self.user)):
            self.add_error(refusal.field if refusal.field in self.fields else None, refusal.message)

    def _check_overtaken(self, name: str) -> None:
        """Add an error to a field that somebody else changed too. Sending the form again then replaces that change."""
        bound, stored = self[name], self.initial.get(name)
        if bound.html_initial_name not in self.data:
            return
        field = self.fields[name]
        initial = self.data[bound.html_initial_name]
        if field.has_changed(stored, initial) and field.has_changed(stored, bound.data):
            text = _("Somebody changed this while the form was open. It is now: “%(now)s”. Save again to replace that.")
            self.add_error(name, ValidationError(text, code="overtaken", params={"now": stored}))
            submitted: Any = self.data
            self.data = data = submitted.copy()  # a request's data is immutable
            data[bound.html_initial_name] = stored

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        if not commit or self.instance._state.adding:
            return super().save(commit=commit)
        self.instance.save_fields(self.changed_data)
        return self.instance


class PagedFormSet(PaginationInlineFormSet):  # type: ignore[misc]
    """One page of related objects, which are looked up by their keys when the form is sent.

    The theme's own form set looks them up by their position on the page, and silently drops the edit of a row that
    moved to another page because somebody added one meanwhile.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.is_bound:
            key, sent = self.model._meta.pk, []
            # The form says both numbers, and only the total is bounded.
            for number in range(min(self.initial_form_count(), self.total_form_count())):
                try:
                    sent.append(key.to_python(self.data.get(f"{self.add_prefix(number)}-{key.name}")))
                except ValidationError:
                    continue  # not a key, so not an object either
            self._queryset = self.queryset.filter(pk__in=[value for value in sent if value is not None])

    def get_page_num(self) -> int:
        name = self.get_pagination_key()
        number = self.request.GET.get(name) or self.request.POST.get(name) or "1"
        return int(number) if PAGE_NUMBER.fullmatch(number) else 1
