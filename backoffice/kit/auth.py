"""The three ways to sign in at the API. Each sets `request.user`, by which history knows who wrote.

ninja's own classes are not used: in debug mode they log the credential, and theirs for sessions answers 403 where no
session came.
"""

import base64
import binascii
from abc import abstractmethod
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from backoffice.kit import tokens
from backoffice.kit.api.problems import FieldError, ProblemError
from backoffice.kit.permissions import Action, Person, Write, as_error, refusals
from backoffice.kit.sign_in import forget_failures


class HeaderAuth(AuthBase):
    """Reads `Authorization: <scheme> <credential>`; a header of another scheme is for another class."""

    openapi_type = "http"
    openapi_scheme: str

    def __call__(self, request: HttpRequest) -> AbstractBaseUser | None:
        scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
        user = self.authenticate(request, credential.strip()) if scheme.lower() == self.openapi_scheme else None
        if user is not None:
            request.user = user  # type: ignore[assignment]
        return user

    @abstractmethod
    def authenticate(self, request: HttpRequest, credential: str) -> AbstractBaseUser | None: ...


class TokenAuth(HeaderAuth):
    openapi_scheme = "bearer"
    openapi_description = "An access token from POST /api/token/."

    def authenticate(self, request: HttpRequest, credential: str) -> AbstractBaseUser | None:
        try:
            return tokens.user_of(credential, tokens.Kind.ACCESS)
        except tokens.TokenError:
            return None


class BasicAuth(HeaderAuth):
    openapi_scheme = "basic"
    openapi_description = "User name and password. Each request costs a password check; prefer a token."

    def authenticate(self, request: HttpRequest, credential: str) -> AbstractBaseUser | None:
        try:
            decoded = base64.b64decode(credential, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        username, colon, password = decoded.partition(":")
        return check_password(request, username, password) if colon else None


class SessionAuth(AuthBase):
    """The admin's session. Cookies travel by themselves, so unsafe methods need the CSRF token too."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The admin's session; unsafe methods also need the header X-CSRFToken."
    csrf = True  # the Swagger page then sends the token

    def __call__(self, request: HttpRequest) -> Any:
        if "Authorization" in request.headers or not request.user.is_authenticated:
            return None
        if check_csrf(request) is not None:
            raise ProblemError(403, "The CSRF token is missing or wrong; send it in the header X-CSRFToken.")
        return request.user


def check_password(request: HttpRequest, username: str, password: str) -> AbstractBaseUser | None:
    """The active user of this name and password; an unknown name costs the same time as a wrong password.

    Where too many have failed, `request` is answered 429, whatever is made of None: see `backoffice.kit.sign_in`. Not
    for use in a transaction: rolling it back would forget the failure.
    """
    username = username.replace("\0", "\ufffd")  # PostgreSQL can't be asked for a text that holds NUL
    user = authenticate(request, username=username, password=password)
    if user is not None:
        forget_failures(request, username)
    return user


def require(request: HttpRequest, permission: str, *others: str) -> None:
    """Let pass who has `permission` or one of `others`.

    Raises:
        ProblemError: 403, naming `permission`.
    """
    person = Person(request.user)
    if not person.has(permission, *others):
        raise ProblemError(403, person.needs(permission))


def require_action(request: HttpRequest, model: type[Model], action: Action) -> None:
    """Let pass who may do that with objects of `model`.

    Raises:
        ProblemError: 403, naming the permission.
    """
    if refusal := Person(request.user).refusal(model, action):
        raise ProblemError(403, refusal)


def require_write(request: HttpRequest, write: Write) -> None:
    """Let pass who may do this write.

    Raises:
        ProblemError: 403, naming the permission and, where a value needs it, the field.
        ValidationError: by field; it points to what does not exist for them.
    """
    found = refusals(write, Person(request.user))
    if forbidden := [one for one in found if not one.is_link]:
        errors = [FieldError(one.field, one.message) for one in forbidden if one.field]
        raise ProblemError(403, " ".join(one.message for one in forbidden), errors=errors)
    if found:
        raise as_error(found)
