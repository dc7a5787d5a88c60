"""Tokens for programs, with the field names of djangorestframework-simplejwt."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from backoffice.accounts.models import User
from backoffice.accounts.second_factor.backend import NOT_SET_UP
from backoffice.accounts.second_factor.demands import must_set_up
from backoffice.kit import tokens
from backoffice.kit.api.problems import ProblemError, ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Body, Text
from backoffice.kit.auth import check_password
from backoffice.kit.idempotency.decorators import answer_is_secret
from backoffice.kit.tokens import Kind

router = Router(tags=["Sign in"])
ERRORS = {401: ProblemOut}


class CredentialsIn(Body):
    username: Text
    password: Text
    code: Text = Field(default="", description="Of the second factor, or for recovery; where the account has one.")


class RefreshIn(Body):
    refresh: str


class TokenIn(Body):
    token: str


class AccessOut(BaseModel):
    access: str


class TokensOut(AccessOut):
    refresh: str


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
    return json_response({"access": tokens.issue(user, Kind.ACCESS), "refresh": tokens.issue(user, Kind.REFRESH)})


@router.post(
    "refresh/",
    operation_id="token_refresh",
    summary="Get a new access token",
    response={200: AccessOut, **ERRORS},
)
@answer_is_secret
def refresh_token(request: HttpRequest, data: RefreshIn) -> HttpResponse:
    try:
        user = tokens.user_of(data.refresh, Kind.REFRESH)
    except tokens.TokenError:
        raise ProblemError(401, "The refresh token is not valid, or no longer.") from None
    if must_set_up(cast(User, user)):
        raise ProblemError(401, NOT_SET_UP)
    return json_response({"access": tokens.issue(user, Kind.ACCESS)})


@router.post("verify/", operation_id="token_verify", summary="Check a token", response={200: NothingOut, **ERRORS})
def verify_token(request: HttpRequest, data: TokenIn) -> HttpResponse:
    try:
        tokens.user_of(data.token, *Kind)
    except tokens.TokenError:
        raise ProblemError(401, "The token is not valid, or no longer.") from None
    return json_response({})
