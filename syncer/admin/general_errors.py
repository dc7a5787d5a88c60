"""Forms that have some of a model's columns: what the model finds wrong with the others is shown too."""

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


class ShowsAllErrors(forms.BaseForm):
    """A form that shows errors of columns that it lacks among its general ones, by name, instead of failing."""

    def _update_errors(self, errors: ValidationError) -> None:
        if hasattr(errors, "error_dict"):
            for name in [*errors.error_dict]:
                if name not in self.fields and name != NON_FIELD_ERRORS:
                    texts = [f"{name}: {text}" for error in errors.error_dict.pop(name) for text in error.messages]
                    errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(map(ValidationError, texts))
        super()._update_errors(errors)  # type: ignore[misc]
