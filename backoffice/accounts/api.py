"""Tokens for programs, with the field names of djangorestframework-simplejwt."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from backoffice.accounts.models import User
from backoffice.accounts.second_factor.backend import NOT_SET_UP
from backoffice.accounts.second_factor.demands import must_set_up
from backoffice.kit.api.openapi import PARAMETERS
from backoffice.kit.api.problems import ProblemError, ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Body, Text
from backoffice.kit.auth import check_password
from backoffice.kit.idempotency.decorators import answer_is_secret, key_of
from backoffice.kit.sessions import tokens
from backoffice.kit.sessions.tokens import Kind

router = Router(tags=["Sign in"])
ERRORS = {401: ProblemOut}
REPEATABLE = PARAMETERS["Idempotency-Key"] | {
    "description": "A random UUID for each request. If its answer is lost, repeat it within a minute under this key."
}
ONCE = "Renew only with the newest refresh token, and one request at a time."


class CredentialsIn(Body):
    username: Text
    password: Text
    code: Text = Field(default="", description="Of the second factor, or for recovery; where the account has one.")


class RefreshIn(Body):
    refresh: str


class TokenIn(Body):
    token: str = Field(description="An access token or a refresh token.")


class TokensOut(BaseModel):
    access: str = Field(description="Signs requests: `Authorization: Bearer …`.")
    refresh: str = Field(description="Gets the next two tokens, once, until the session ends.")


class NothingOut(BaseModel):
    """An empty object."""


@router.post(
    "",
    operation_id="token_create",
    summary="Get tokens for a name and password",
    response={200: TokensOut, **ERRORS},
)
@answer_is_secret
def create_tokens(request: HttpRequest, data: CredentialsIn) -> HttpResponse:
    user = check_password(request, data.username, data.password, way="token", code=data.code)
    if user is None:
        raise ProblemError(401, "No active account has this name and password, or the code is wrong.")
    return json_response(tokens.begin(user, request)._asdict())


@router.post(
    "refresh/",
    operation_id="token_refresh",
    summary="Get new tokens for a refresh token",
    response={200: TokensOut, **ERRORS},
    openapi_extra={"parameters": [{"name": "Idempotency-Key", "in": "header", "required": False, **REPEATABLE}]},
)
@answer_is_secret
def refresh_token(request: HttpRequest, data: RefreshIn) -> HttpResponse:
    """A refresh token works once. If it comes again, somebody else may have it, so that its session ends at once.

    Renewing does not prolong the session.
    """
    header = request.headers.get("Idempotency-Key")
    try:
        if must_set_up(cast(User, tokens.read(data.refresh, Kind.REFRESH).account)):
            raise ProblemError(401, NOT_SET_UP)
        pair = tokens.renew(data.refresh, request, key="" if header is None else key_of(header))
    except tokens.UsedTokenError:
        raise ProblemError(401, f"The refresh token was used before, so its session has ended. {ONCE}") from None
    except tokens.TokenError:
        raise ProblemError(401, "The refresh token is not valid, or no longer.") from None
    return json_response(pair._asdict())


@router.post("verify/", operation_id="token_verify", summary="Check a token", response={200: NothingOut, **ERRORS})
def verify_token(request: HttpRequest, data: TokenIn) -> HttpResponse:
    try:
        claims = tokens.read(data.token, *Kind).claims
    except tokens.TokenError:
        raise _not_valid() from None
    if claims["token_type"] == Kind.REFRESH and not tokens.is_newest(claims):
        raise _not_valid()
    return json_response({})


@router.post("revoke/", operation_id="token_revoke", summary="Sign out", response={200: NothingOut})
def revoke_token(request: HttpRequest, data: TokenIn) -> HttpResponse:
    """Ends the session of the token: none of its tokens works any more. A token that is not valid is no error."""
    tokens.end(data.token)
    return json_response({})


def _not_valid() -> ProblemError:
    return ProblemError(401, "The token is not valid, or no longer.")
