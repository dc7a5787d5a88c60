"""Passwords of accounts that commands create, from the environment: no list of processes shows them."""

import os

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from backoffice.accounts.models import User


def password_of(variable: str) -> str:
    """Return the password in a variable of the environment.

    Raises:
        CommandError: it is not set.
    """
    password = os.environ.get(variable, "")
    if not password:
        raise CommandError(f"{variable} is not set.")
    return password


def check_strength(password: str, variable: str) -> None:
    """Validate the password of the environment's `variable` in production; a development node accepts any.

    Raises:
        CommandError: the password is too weak.
    """
    if not settings.PRODUCTION:
        return
    try:
        validate_password(password)
    except ValidationError as error:
        raise CommandError(f"{variable}: {' '.join(error.messages)}") from error


def set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
