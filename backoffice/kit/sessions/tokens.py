"""JSON Web Tokens (RFC 7519) of a program's session: a short-lived one for requests, a long-lived one to renew both.

- HS256 with the secret key; while it is replaced, also with SECRET_KEY_FALLBACKS.
- `sid` names the session. Whose it is, and whether it has ended, is read with the account, in the same statement.
- `password` is a piece of the account's session hash: a changed password invalidates all tokens.
- `aud` is this node: another node's tokens are refused, whatever the two share (RFC 8725, section 3.9).
- A refresh token works once (RFC 9700, section 4.14.2). `generation` numbers those of a session, which knows the last.
  If an older one comes, somebody has a copy, and the session ends. Only a request that is repeated under the same
  `Idempotency-Key`, which a thief of the token does not know, gets the same answer for REPEATABLE.
- Renewing does not prolong a session.
"""

import time
import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import jwt
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.debug import sensitive_variables

from backoffice.kit.accounts import active_account
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.secret_keys import secret_keys
from backoffice.kit.sessions.client import client_of
from backoffice.kit.sessions.models import Session, password_marks

ALGORITHM = "HS256"
CLAIMS = ["aud", "exp", "iat", "jti", "sid", "token_type", "user_id", "password"]
LEEWAY = 10  # seconds that the clocks of two web servers may differ
REPEATABLE = timedelta(minutes=1)


class Kind(StrEnum):
    ACCESS = "access"
    REFRESH = "refresh"


class Pair(NamedTuple):
    """The newest tokens of a session."""

    access: str
    refresh: str


class Read(NamedTuple):
    """A valid token."""

    account: AbstractBaseUser
    claims: dict[str, Any]


class TokenError(Exception):
    """The token is malformed, forged, out of date, of the wrong kind, or its session has ended."""


class UsedTokenError(TokenError):
    """The refresh token was used before, so its session was ended."""


def begin(account: AbstractBaseUser, request: HttpRequest | None = None) -> Pair:
    """Begin a session of a program that signed `account` in; return its tokens."""
    expires = int(time.time()) + settings.REFRESH_TOKEN_SECONDS
    session = Session.objects.create(
        family=uuid.uuid4(),
        user_id=account.pk,
        password_mark=password_marks(account)[0],
        expire_date=datetime.fromtimestamp(expires, UTC),
        last_seen_at=timezone.now(),
        **(client_of(request) if request else {}),
    )
    return _pair(account, session.family, 0, expires)


@sensitive_variables()
def read(token: str, *kinds: Kind) -> Read:
    """Return the active account of `token`, which must be of one of `kinds`, and its claims.

    Raises:
        TokenError: the token is not valid.
    """
    try:
        claims = _claims(token, secret_keys(), settings.NODE)
    except jwt.PyJWTError as error:
        raise TokenError from error
    if claims["exp"] + LEEWAY <= time.time():  # since its claims were read
        raise TokenError
    account = active_account(claims["sid"], by="sessions__family")
    if claims["token_type"] not in kinds or account is None:
        raise TokenError
    if not any(constant_time_compare(str(claims["password"]), mark) for mark in password_marks(account)):
        raise TokenError
    return Read(account, claims)


@sensitive_variables()
def renew(token: str, request: HttpRequest, *, key: str = "") -> Pair:
    """Return new tokens for a refresh token, which then has been used.

    Args:
        key: the `Idempotency-Key` of the request; empty if it has none.

    Raises:
        TokenError: the token is not valid.
        UsedTokenError: it was used before; its session has ended.
    """
    account, claims = read(token, Kind.REFRESH)
    session, used = Session.objects.filter(family=claims["sid"]), claims["generation"]
    now, repeat = timezone.now(), salted_hmac("sessions.repeat", key, algorithm="sha256").hexdigest() if key else ""
    values = {"generation": used + 1, "repeat": repeat, "last_seen_at": now, **client_of(request)}
    is_first = session.filter(generation=used).update(**values)
    repeated = session.filter(generation=used + 1, repeat=repeat, last_seen_at__gt=now - REPEATABLE)
    if is_first or (key and repeated.exists()):
        return _pair(account, claims["sid"], used + 1, claims["exp"])
    with transaction.atomic():
        is_reused = session.delete()[0] > 0
        if is_reused:
            record(Action.TOKEN_REUSED, account)
    raise UsedTokenError if is_reused else TokenError


def is_newest(claims: dict[str, Any]) -> bool:
    """Return whether a valid refresh token has not been used yet."""
    return Session.objects.filter(family=claims["sid"], generation=claims["generation"]).exists()


def end(token: str) -> None:
    """End the session of a token; one that is not valid ended nothing, and needs no end (RFC 7009, section 2.2)."""
    try:
        account, claims = read(token, *Kind)
    except TokenError:
        return
    with transaction.atomic():
        if Session.objects.filter(family=claims["sid"]).delete()[0]:
            record(Action.SIGNED_OUT, account, actor=account, way="token")


@sensitive_variables()
def _pair(account: AbstractBaseUser, family: object, generation: int, expires: int) -> Pair:
    now = int(time.time())
    claims = {
        "aud": settings.NODE,
        "iat": now,
        "sid": str(family),
        "user_id": str(account.pk),
        "password": password_marks(account)[0],
    }
    own: dict[Kind, dict[str, Any]] = {
        Kind.ACCESS: {"exp": min(now + settings.ACCESS_TOKEN_SECONDS, expires)},
        Kind.REFRESH: {"exp": expires, "generation": generation},
    }
    return Pair(
        *(
            jwt.encode(
                {**claims, **own[kind], "token_type": kind.value, "jti": uuid.uuid4().hex},
                settings.SECRET_KEY,
                algorithm=ALGORITHM,
            )
            for kind in (Kind.ACCESS, Kind.REFRESH)
        )
    )


@lru_cache(maxsize=1024)
def _claims(token: str, keys: tuple[str, ...], node: str) -> dict[str, Any]:
    """Return the claims of a genuine token; reading them takes a tenth of a request, and programs repeat a token."""
    for key in keys:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=[ALGORITHM], audience=node, leeway=LEEWAY, options={"require": CLAIMS}
            )
        except jwt.InvalidSignatureError:
            continue
        return claims
    raise jwt.InvalidSignatureError
