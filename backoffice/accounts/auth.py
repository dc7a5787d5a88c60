"""All the ways to sign in at the API, and who is asked for what a key can't do."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest

from backoffice.accounts import keys
from backoffice.accounts.models import User
from backoffice.kit.api.problems import ProblemError
from backoffice.kit.auth import BasicAuth, HeaderAuth, SessionAuth, TokenAuth


class KeyAuth(HeaderAuth):
    openapi_scheme = "bearer"
    openapi_description = "A personal API key, `bo_…`: limited to its permissions, until it expires or is revoked."

    def authenticate(self, request: HttpRequest, credential: str) -> User | None:
        return keys.user_of(credential)


WAYS = [TokenAuth(), KeyAuth(), BasicAuth(), SessionAuth()]


def open_registration(request: HttpRequest) -> object:
    """Lets somebody in who is not signed in and does not try to be, where anybody may register."""
    is_stranger = "Authorization" not in request.headers and not request.user.is_authenticated
    return request.user if settings.OPEN_REGISTRATION and is_stranger else None


def owner(request: HttpRequest) -> User:
    """Who is signed in by themselves: what a key could change of its account, it could make its own.

    Raises:
        ProblemError: 403, they came with a key.
    """
    user = cast(User, request.user)
    if user.key is not None:
        raise ProblemError(403, "An API key can't do this; sign in with a token, a password or a session.")
    return user
