"""All ways to authenticate at the API, and the check of operations that an API key can't do."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest

from backoffice.accounts import keys
from backoffice.accounts.models import User
from backoffice.kit.api.problems import ProblemError
from backoffice.kit.auth import BasicAuth, HeaderAuth, SessionAuth, TokenAuth


class KeyAuth(HeaderAuth):
    """Authenticate by an API key."""

    openapi_scheme = "bearer"
    openapi_description = "A personal API key, `bo_…`: limited to its permissions, until it expires or is revoked."

    def authenticate(self, request: HttpRequest, credential: str) -> User | None:
        return keys.user_of(credential)


WAYS = [TokenAuth(), KeyAuth(), BasicAuth(), SessionAuth()]


def open_registration(request: HttpRequest) -> object:
    """Authenticate an anonymous caller without credentials, if the settings let anybody register."""
    is_stranger = "Authorization" not in request.headers and not request.user.is_authenticated
    return request.user if settings.OPEN_REGISTRATION and is_stranger else None


def owner(request: HttpRequest) -> User:
    """Return the user of `request`, signed in without a key: a key that changes its account could take it over.

    Raises:
        ProblemError: 403, the request came with a key.
    """
    user = cast(User, request.user)
    if user.key is not None:
        raise ProblemError(403, "An API key can't do this; sign in with a token, a password or a session.")
    return user
