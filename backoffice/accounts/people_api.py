"""The API of one's own account, and registration."""

from typing import cast

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from backoffice.accounts.auth import WAYS, open_registration, owner
from backoffice.accounts.keys_api import KeyOut, key_values
from backoffice.accounts.keys_api import router as keys_router
from backoffice.accounts.models import ApiKey, User
from backoffice.accounts.sessions_api import router as sessions_router
from backoffice.kit.api.problems import FieldError, InvalidError, ProblemError, from_validation
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Body, Text
from backoffice.kit.api.throttle import REGISTRATION
from backoffice.kit.auth import check_password, require
from backoffice.kit.idempotency.decorators import not_atomic

router = Router(tags=["Accounts"])
router.add_router("/keys/", keys_router)
router.add_router("/sessions/", sessions_router)
PASSWORD_MOST = 4096  # characters
ACCOUNT = ("username", "email", "first_name", "last_name", "is_staff")


class UserIn(Body):
    username: Text = Field(max_length=150)
    password: Text = Field(max_length=PASSWORD_MOST)
    email: Text = Field(default="", max_length=254)


class UserOut(BaseModel):
    username: str
    email: str


class ProfileIn(Body):
    email: Text = Field(default_factory=str, max_length=254)
    first_name: Text = Field(default_factory=str, max_length=150)
    last_name: Text = Field(default_factory=str, max_length=150)


class ProfileOut(UserOut):
    first_name: str
    last_name: str
    is_staff: bool
    permissions: list[str] = Field(description="What this request may do; an API key may have less than its owner.")


class PasswordIn(Body):
    old: Text = Field(max_length=PASSWORD_MOST)
    new: Text = Field(max_length=PASSWORD_MOST)


class PasswordOut(BaseModel):
    keys: list[KeyOut] = Field(description="The API keys that still work; revoke those that should not.")


@router.post(
    "/users/",
    auth=[*WAYS, open_registration],
    operation_id="accounts_user_create",
    summary="Register a user",
    response={201: UserOut},
    throttle=REGISTRATION,
)
def register(request: HttpRequest, data: UserIn) -> HttpResponse:
    """Needs the permission `accounts.add_user`, unless this node lets anybody register. Gives no permission."""
    if request.user.is_authenticated:
        require(request, "accounts.add_user")
    user = User(username=User.normalize_username(data.username), email=User.objects.normalize_email(data.email))
    _check(user, data.password, "password")
    user.set_password(data.password)
    try:
        user.validate_unique()
    except ValidationError:
        raise ProblemError(409, "This user name is taken.", errors=[FieldError("username", "It is taken.")]) from None
    with transaction.atomic():
        user.save()
    return json_response({"username": user.username, "email": user.email}, status=201)


@router.get("/me/", operation_id="accounts_me_get", summary="Get your account", response={200: ProfileOut})
def get_me(request: HttpRequest) -> HttpResponse:
    return json_response(_profile(cast(User, request.user)))


@router.patch("/me/", operation_id="accounts_me_change", summary="Change your account", response={200: ProfileOut})
def change_me(request: HttpRequest, data: ProfileIn) -> HttpResponse:
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=owner(request).pk)
        given = data.model_dump(exclude_unset=True)
        for name, value in given.items():
            setattr(user, name, value)
        user.full_clean(exclude={"password"} | {field.name for field in User._meta.fields} - {*given})
        user.save(update_fields=[*given])
    return json_response(_profile(user))


@router.post(
    "/me/password/", operation_id="accounts_me_password", summary="Change your password", response={200: PasswordOut}
)
@not_atomic  # a failed sign-in counts whatever the answer is
def change_password(request: HttpRequest, data: PasswordIn) -> HttpResponse:
    """Ends all tokens and other sessions of yours, and no API key."""
    user = owner(request)
    if check_password(request, user.username, data.old, way=None) is None:
        raise InvalidError(FieldError("old", "This is not your password."))
    _check(user, data.new, "new")
    user.set_password(data.new)
    user.save(update_fields=["password"])
    if "Authorization" not in request.headers:
        update_session_auth_hash(request, user)
    working = ApiKey.objects.working().filter(user=user).order_by("-pk")
    return json_response({"keys": [key_values(key) for key in working]})


def _profile(user: User) -> dict[str, object]:
    return {name: getattr(user, name) for name in ACCOUNT} | {"permissions": sorted(user.get_all_permissions())}


def _check(user: User, password: str, field: str) -> None:
    """Check the model's rules and the password, which the request calls `field`: the caller sees all errors at once.

    Raises:
        InvalidError: a rule is broken.
    """
    errors: list[FieldError] = []
    try:
        user.clean_fields(exclude={"password"})
    except ValidationError as error:
        errors += from_validation(error).errors
    try:
        validate_password(password, user)
    except ValidationError as error:
        errors += [FieldError(field, message) for message in error.messages]
    if errors:
        raise InvalidError(*errors)
