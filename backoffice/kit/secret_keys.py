"""The secret key in use, and those before it that are valid still, so that a new one ends nothing that is under way."""

from django.conf import settings


def secret_keys() -> tuple[str, ...]:
    """Return all valid keys; the first signs."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
