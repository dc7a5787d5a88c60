"""The forms of targets and routes, which ask of a peer something else than of a service."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from syncer.models import Route, Target

# What the route of one kind of target has no use for, and so is emptied with it.
UNUSED = {
    True: ("path", "create_path", "fields", "filter", "items_field", "next_field"),
    False: ("authority", "matched_at"),
}
NATURAL_KEY = (
    "The fields by which objects that both ends already had are matched, where their keys differ: "
    '["product_name", "created_at"]. Empty: by their keys alone.'
)


TAKEN = next(one.violation_error_message for one in Target._meta.constraints if one.name == "syncer_target_peer_node")


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]
    """Empties what only peers have where the target is none, for its fields are not shown then."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") != Target.Kind.PEER:
            for name, nothing in (("peer_node", ""), ("peer_user", None)):
                self.errors.pop(name, None)
                cleaned[name] = nothing
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """A node that has a target already is told beside the node."""
        if hasattr(errors, "error_dict"):
            found = errors.error_dict
            general = found.pop(NON_FIELD_ERRORS, [])
            if taken := [one for one in general if TAKEN in one.messages]:
                found["peer_node"] = taken
            if others := [one for one in general if one not in taken]:
                found[NON_FIELD_ERRORS] = others
        super()._update_errors(errors)  # type: ignore[misc]


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]
    """Empties what the kind of target has no use for, and is not shown."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if target := cleaned.get("target"):
            for name in UNUSED[target.is_peer]:
                if name not in self.fields:
                    column: Any = Route._meta.get_field(name)
                    setattr(self.instance, name, column.get_default())
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """What is wrong with a column that is not on the form is told above it."""
        if hasattr(errors, "error_dict"):
            for name in [*errors.error_dict]:
                if name not in self.fields and name != NON_FIELD_ERRORS:
                    wrong = errors.error_dict.pop(name)
                    texts = [f"{name}: {text}" for one in wrong for text in one.messages]
                    errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(map(ValidationError, texts))
        super()._update_errors(errors)  # type: ignore[misc]
