"""Users by name: their keys are told to nobody."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError


def name_of(key: int) -> str:
    return str(get_user_model()._default_manager.get(pk=key).get_username())


def user_named(name: str) -> Any:
    """The active user of that name.

    Raises:
        ValidationError: there is none.
    """
    users, field = get_user_model()._default_manager, get_user_model().USERNAME_FIELD
    user = None if "\0" in name else users.filter(**{field: name}, is_active=True).first()
    if user is None:
        raise ValidationError(f"There is no user “{name}”.", code="unknown")
    return user
