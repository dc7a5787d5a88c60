"""JSON Web Tokens (RFC 7519), HS256 with the secret key: a short-lived one for requests, a long-lived one to renew it.

A token carries a piece of its user's session hash, so that a changed password invalidates all tokens.
"""

import time
import uuid
from enum import StrEnum

import jwt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.crypto import constant_time_compare

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
        "password": _password_claim(user),
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=ALGORITHM)


def user_of(token: str, *kinds: Kind) -> AbstractBaseUser:
    """Return the active user of `token`, which must be of one of `kinds`.

    Raises:
        TokenError: the token is not valid.
    """
    try:
        claims = jwt.decode(token, settings.SECRET_KEY, algorithms=[ALGORITHM], options={"require": CLAIMS})
    except jwt.PyJWTError as error:
        raise TokenError from error
    user = get_user_model()._default_manager.filter(pk=claims["user_id"], is_active=True).first()
    if claims["token_type"] not in kinds or user is None:
        raise TokenError
    if not constant_time_compare(str(claims["password"]), _password_claim(user)):
        raise TokenError
    return user


def _password_claim(user: AbstractBaseUser) -> str:
    return user.get_session_auth_hash()[:16]
