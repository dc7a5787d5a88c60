"""JSON Web Tokens (RFC 7519), HS256 with the secret key: a short-lived one for requests, a long-lived one to renew it.

A token carries a piece of its user's session hash, so that a changed password invalidates all tokens.
"""

import time
import uuid
from enum import StrEnum
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.crypto import constant_time_compare

from backoffice.kit.accounts import active_account
from backoffice.kit.secret_keys import secret_keys

ALGORITHM = "HS256"
CLAIMS = ["exp", "iat", "jti", "token_type", "user_id", "password"]


class Kind(StrEnum):
    ACCESS = "access"
    REFRESH = "refresh"


class TokenError(Exception):
    """The token is malformed, forged, out of date, of the wrong kind, or its user may no longer sign in."""


def issue(user: AbstractBaseUser, kind: Kind) -> str:
    """Return a new token of `kind` for `user`; lifetimes are settings, in seconds."""
    lifetimes = {Kind.ACCESS: settings.ACCESS_TOKEN_SECONDS, Kind.REFRESH: settings.REFRESH_TOKEN_SECONDS}
    now = int(time.time())
    claims = {
        "token_type": kind.value,
        "iat": now,
        "exp": now + lifetimes[kind],
        "jti": uuid.uuid4().hex,
        "user_id": str(user.pk),
        "password": _password_claims(user)[0],
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=ALGORITHM)


def user_of(token: str, *kinds: Kind) -> AbstractBaseUser:
    """Return the active user of `token`, which must be of one of `kinds`.

    Raises:
        TokenError: the token is not valid.
    """
    claims = _genuine(token)
    if claims["exp"] <= time.time():  # since its claims were read
        raise TokenError
    user = active_account(claims["user_id"])
    if claims["token_type"] not in kinds or user is None:
        raise TokenError
    if not any(constant_time_compare(str(claims["password"]), claim) for claim in _password_claims(user)):
        raise TokenError
    return user


def _genuine(token: str) -> dict[str, Any]:
    """Return the claims of a token that one of the valid keys has signed."""
    for key in secret_keys():
        try:
            return _claims(token, key)
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise TokenError from error
    raise TokenError


@lru_cache(maxsize=1024)
def _claims(token: str, key: str) -> dict[str, Any]:
    """Return the claims of a genuine token; reading them takes a tenth of a request, and programs repeat a token."""
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], options={"require": CLAIMS})
    return claims


def _password_claims(user: AbstractBaseUser) -> list[str]:
    """Return the claim by each of the valid keys; the first is that of new tokens."""
    return [text[:16] for text in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())]
