"""Authentication of API requests: token, password or session. Each sets `request.user`, which history records.

ninja's own classes are not used: in debug mode they log the credential, and its session class answers 403 to a request
without a session.
"""

import base64
import binascii
from abc import abstractmethod
from typing import Literal, cast

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from backoffice.kit.api.problems import FieldError, ProblemError
from backoffice.kit.audit.actions import Action as Act
from backoffice.kit.audit.record import record
from backoffice.kit.permissions import Action, Person, Write, as_error, refusals
from backoffice.kit.sessions import tokens
from backoffice.kit.sign_in.receivers import succeeded


class HeaderAuth(AuthBase):
    """Authenticate by `Authorization: <scheme> <credential>`; a header of another scheme is left to other classes."""

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
            account, claims = tokens.read(credential, tokens.Kind.ACCESS)
        except tokens.TokenError:
            return None
        request.session_family = claims["sid"]  # type: ignore[attr-defined] # see `sessions.service.current`
        return account


class BasicAuth(HeaderAuth):
    openapi_scheme = "basic"
    openapi_description = "User name and password. Each request costs a password check; prefer a token."

    def authenticate(self, request: HttpRequest, credential: str) -> AbstractBaseUser | None:
        try:
            decoded = base64.b64decode(credential, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        username, colon, password = decoded.partition(":")
        return check_password(request, username, password, way="basic") if colon else None


class SessionAuth(AuthBase):
    """Authenticate by the admin's session. Browsers send cookies automatically, so writes need the CSRF token too."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The admin's session; unsafe methods also need the header X-CSRFToken."
    csrf = True  # the Swagger page then sends the token

    def __call__(self, request: HttpRequest) -> AbstractBaseUser | None:
        if "Authorization" in request.headers or not request.user.is_authenticated:
            return None
        if check_csrf(request) is not None:
            raise ProblemError(403, "The CSRF token is missing or wrong; send it in the header X-CSRFToken.")
        return cast(AbstractBaseUser, request.user)


def check_password(
    request: HttpRequest, username: str, password: str, *, way: Literal["token", "basic"] | None, code: str = ""
) -> AbstractBaseUser | None:
    """Return the active user of this name and password; an unknown name takes as long as a wrong password.

    Whatever the caller does with None, the answer to `request` may become 429 after a few failures, and 401 with a
    reason where the account needs more than a password; see `backoffice.kit.sign_in`. Don't call this function in a
    transaction: a rollback would forget the failure.

    Args:
        way: how a program signs in, for the audit trail; None if nobody does. Basic authentication comes with each
            request: its first of a day from an address is recorded.
        code: of the second factor.
    """
    username = username.replace("\0", "\ufffd")  # PostgreSQL can't be asked for a text that holds NUL
    user = authenticate(request, username=username, password=password, code=code)
    if user is not None:
        is_first = succeeded(request, user)
        if way == "token" or (way and is_first):
            record(Act.SIGNED_IN, user, actor=user, way=way)
    return user


def require(request: HttpRequest, permission: str, *others: str) -> None:
    """Require `permission` or one of `others`.

    Raises:
        ProblemError: 403, naming `permission`.
    """
    person = Person(request.user)
    if not person.has(permission, *others):
        raise ProblemError(403, person.needs(permission))


def require_action(request: HttpRequest, model: type[Model], action: Action) -> None:
    """Require the permission to do `action` with objects of `model`.

    Raises:
        ProblemError: 403, naming the permission.
    """
    if refusal := Person(request.user).refusal(model, action):
        raise ProblemError(403, refusal)


def require_write(request: HttpRequest, write: Write) -> None:
    """Require every permission that `write` needs.

    Raises:
        ProblemError: 403, naming the permission and, where a value needs it, the field.
        ValidationError: by field; a link leads to an object that does not exist for the user.
    """
    refused = refusals(write, Person(request.user))
    if forbidden := [refusal for refusal in refused if not refusal.is_link]:
        errors = [FieldError(refusal.field, refusal.message) for refusal in forbidden if refusal.field]
        raise ProblemError(403, " ".join(refusal.message for refusal in forbidden), errors=errors)
    if refused:
        raise as_error(refused)
