"""What one person may write, asked at every door in the same way. Programs without a user may write everything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from backoffice.kit.history import column_values
from content.base.models import ContentModel


@dataclass(frozen=True)
class Refusal:
    """A value that the person may not set."""

    field: str
    permission: str

    @property
    def message(self) -> str:
        return f"Setting this needs the permission {self.permission}."


def blank(model: type[ContentModel]) -> dict[str, Any]:
    """What `before` is for an object that is not there yet: `{"attname": default}`."""
    return column_values(model())


def refusals(obj: ContentModel, *, user: Any, before: Mapping[str, Any]) -> list[Refusal]:
    """The restricted values of `obj`, which differ from those `before`, that `user` lacks the permission for.

    Args:
        before: the stored values by attname, or those of `blank`.
    """
    needed = () if user is None else obj.restrictions(before)
    return [Refusal(field, permission) for field, permission in needed if not user.has_perm(permission)]


def check_links(obj: ContentModel, *, user: Any, before: Mapping[str, Any]) -> None:
    """Refuse a new link to an object that `user` can't see, in the words in which one that is not there is refused.

    Raises:
        ValidationError: by field.
    """
    errors = {}
    for field in obj._meta.concrete_fields:
        parent: Any = field.related_model
        key = getattr(obj, field.attname)
        if parent is None or not issubclass(parent, ContentModel) or key is None or key == before[field.attname]:
            continue
        if user is not None and not parent.objects.visible_to(user).filter(pk=key).exists():
            params = {"model": parent._meta.verbose_name, "pk": key, "field": "id", "value": key}
            errors[field.name] = ValidationError(field.error_messages["invalid"], code="invalid", params=params)
    if errors:
        raise ValidationError(errors)
