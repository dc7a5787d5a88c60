# ruff: noqa: A002 (the addresses call it `id`)
"""The API of one's own API keys: list, create, revoke."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from backoffice.accounts import keys
from backoffice.accounts.auth import owner
from backoffice.accounts.models import KEY_DAYS_MOST, ApiKey, ApiKeyQuerySet
from backoffice.kit.api.lists import list_response
from backoffice.kit.api.openapi import LOCATION
from backoffice.kit.api.responses import empty_response, json_response
from backoffice.kit.api.schemas import Body, Page, PageQuery, Text
from backoffice.kit.idempotency.decorators import answer_is_secret

router = Router()
COLUMNS = ("id", "name", "prefix", "full_access", "permissions", "created", "expires", "revoked_at", "last_used_at")
SECRET = {"Cache-Control": "no-store"}  # RFC 9111 §5.2.2.5
PERMISSIONS_MOST = 1000

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Permission = Annotated[Text, Field(max_length=255)]


class KeyIn(Body):
    name: Text = Field(min_length=1, max_length=64, description="What it is for.")
    expires: AwareDatetime = Field(description=f"At most {KEY_DAYS_MOST} days ahead.")
    full_access: bool = Field(default=False, description="It may do all that you may, now and later.")
    permissions: list[Permission] = Field(
        default=[],
        max_length=PERMISSIONS_MOST,
        description="What it may do, at most. At least one must be named, unless `full_access` is true.",
    )


class KeyOut(BaseModel):
    id: int
    name: str
    prefix: str = Field(description="The key begins with `bo_` and this.")
    full_access: bool
    permissions: list[str]
    created: AwareDatetime
    expires: AwareDatetime
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None


class NewKeyOut(KeyOut):
    key: str = Field(description="The whole key; it is never shown again.")


@router.get("", operation_id="accounts_key_list", summary="List your API keys", response={200: Page[KeyOut]})
def list_keys(request: HttpRequest, query: Query[PageQuery]) -> HttpResponseBase:
    return list_response(query, _own(request).values(*COLUMNS))


@router.post(
    "", operation_id="accounts_key_create", summary="Make an API key", response={201: NewKeyOut}, openapi_extra=LOCATION
)
@answer_is_secret
def create_key(request: HttpRequest, data: KeyIn) -> HttpResponse:
    key = ApiKey(user=owner(request), **data.model_dump())
    secret = key.seal()
    key.full_clean()
    key.save()
    location = f"{request.path.rstrip('/')}/{key.pk}/"
    return json_response(key_values(key) | {"key": secret}, status=201, headers={"Location": location, **SECRET})


@router.get("{int:id}/", operation_id="accounts_key_get", summary="Get one of your API keys", response={200: KeyOut})
def get_key(request: HttpRequest, id: Id) -> HttpResponse:
    return json_response(key_values(_find(request, id)))


@router.delete(
    "{int:id}/", operation_id="accounts_key_revoke", summary="Revoke one of your API keys", response={204: None}
)
def revoke_key(request: HttpRequest, id: Id) -> HttpResponse:
    """It stays on the list, and never works again."""
    keys.revoke(_find(request, id))
    return empty_response(204)


def key_values(key: ApiKey) -> dict[str, object]:
    """Return the columns of `KeyOut`."""
    return {name: getattr(key, name) for name in COLUMNS}


def _own(request: HttpRequest) -> ApiKeyQuerySet:
    return ApiKey.objects.filter(user=owner(request))


def _find(request: HttpRequest, id: int) -> ApiKey:
    return get_object_or_404(_own(request), pk=id)
