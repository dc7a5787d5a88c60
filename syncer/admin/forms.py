"""The forms of targets and routes: columns that the kind of target does not use, and does not show, are emptied."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from syncer.models import Route, Target
from syncer.targets.base import kind_of, kinds, unused_columns

TAKEN = next(
    constraint.violation_error_message
    for constraint in Target._meta.constraints
    if constraint.name == "syncer_target_peer_node"
)


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of a target; empties the columns that only other kinds use."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = kinds().get(cleaned.get("kind", ""))
        for name in unused_columns(kind, "target_columns") if kind else ():
            column: Any = Target._meta.get_field(name)
            self.errors.pop(name, None)
            cleaned[name] = column.get_default()
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """Show the error about a node that has a target already at the field `peer_node`."""
        if hasattr(errors, "error_dict"):
            general = errors.error_dict.pop(NON_FIELD_ERRORS, [])
            if taken := [error for error in general if TAKEN in error.messages]:
                errors.error_dict["peer_node"] = taken
            if others := [error for error in general if error not in taken]:
                errors.error_dict[NON_FIELD_ERRORS] = others
        super()._update_errors(errors)  # type: ignore[misc]


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of a route; empties the columns that only other kinds use, and fills the lookup of a new route."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if target := cleaned.get("target"):
            for name in unused_columns(kind_of(target), "route_columns"):
                if name not in self.fields:
                    column: Any = Route._meta.get_field(name)
                    setattr(self.instance, name, column.get_default())
            if self.instance.pk is None and not cleaned.get("lookup"):
                new = Route(target=target, model=cleaned.get("model", ""), fields=cleaned.get("fields"))
                cleaned["lookup"] = new.default_lookup()
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """Show the errors of columns that the form lacks among its general errors."""
        if hasattr(errors, "error_dict"):
            for name in [*errors.error_dict]:
                if name not in self.fields and name != NON_FIELD_ERRORS:
                    texts = [f"{name}: {text}" for error in errors.error_dict.pop(name) for text in error.messages]
                    errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(map(ValidationError, texts))
        super()._update_errors(errors)  # type: ignore[misc]
