"""The forms of targets and routes, which empty what the kind of target does not use and so does not show."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from syncer.models import Route, Target
from syncer.targets.base import kind_of, kinds, unused_columns

TAKEN = next(one.violation_error_message for one in Target._meta.constraints if one.name == "syncer_target_peer_node")


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]
    """Empties what other kinds use."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = kinds().get(cleaned.get("kind", ""))
        for name in unused_columns(kind, "target_columns") if kind else ():
            column: Any = Target._meta.get_field(name)
            self.errors.pop(name, None)
            cleaned[name] = column.get_default()
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """Show that a node has a target already beside the node."""
        if hasattr(errors, "error_dict"):
            found = errors.error_dict
            general = found.pop(NON_FIELD_ERRORS, [])
            if taken := [one for one in general if TAKEN in one.messages]:
                found["peer_node"] = taken
            if others := [one for one in general if one not in taken]:
                found[NON_FIELD_ERRORS] = others
        super()._update_errors(errors)  # type: ignore[misc]


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]
    """Empties what other kinds use."""

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
        """Show what is wrong with a column that is not on the form above it."""
        if hasattr(errors, "error_dict"):
            for name in [*errors.error_dict]:
                if name not in self.fields and name != NON_FIELD_ERRORS:
                    wrong = errors.error_dict.pop(name)
                    texts = [f"{name}: {text}" for one in wrong for text in one.messages]
                    errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(map(ValidationError, texts))
        super()._update_errors(errors)  # type: ignore[misc]
