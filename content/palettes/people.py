"""Look up users by name: their keys are never shown."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def name_of(key: int) -> str:
    """Return the name of the user with this key."""
    return str(get_user_model()._default_manager.get(pk=key).get_username())


def user_named(name: str) -> Any:
    """Return the active user with this name.

    Raises:
        ValidationError: there is no such user.
    """
    users, field = get_user_model()._default_manager, get_user_model().USERNAME_FIELD
    user = None if "\0" in name else users.filter(**{field: name}, is_active=True).first()
    if user is None:
        raise ValidationError(_("There is no user “%(name)s”.") % {"name": name}, code="unknown")
    return user
