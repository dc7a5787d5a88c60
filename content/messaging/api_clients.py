"""The API that erases and exports a client. The id may hold any character, so it is never part of a path."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from backoffice.kit.api.lists import list_response
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Body, Page, PageQuery, Text
from backoffice.kit.auth import require
from content.messaging import services
from content.messaging.models import CLIENT_LENGTH, Erasure

COLUMNS = ("id", "erased_at", "user", "reason", "messages", "counts")
CLIENT: dict[str, Any] = {"minLength": 1, "maxLength": CLIENT_LENGTH}
router = Router()


class ErasureIn(Body):
    client: Text = Field(description="The client's id.", json_schema_extra=CLIENT)
    reason: Text = Field(
        description="Why, without the client's id in it.", json_schema_extra={"minLength": 1, "maxLength": 100}
    )


class ErasureOut(BaseModel):
    """That a client was erased. It does not say which."""

    id: int
    erased_at: datetime
    user: int | None
    reason: str
    messages: int = Field(description="How many messages were theirs.")
    counts: dict[str, int] = Field(description="What was erased where, beside the messages.")


class ClientQuery(BaseModel):
    client: Text = Field(description="The client's id.", min_length=1, max_length=CLIENT_LENGTH)


class SentOut(BaseModel):
    """What a target holds of a message, as far as is known."""

    target: str
    path: str
    object: str
    remote_id: str | None
    record: dict[str, Any] | None = Field(description="What was sent and accepted.")
    unanswered: dict[str, Any] | None = Field(description="What a create sent whose answer was lost.")
    at: datetime | None


class ClientOut(BaseModel):
    """All that is held on a client."""

    client: str
    messages: list[dict[str, Any]]
    history: list[dict[str, Any]]
    sent: list[SentOut]


@router.get(
    "/erasures/",
    operation_id="messaging_erasures_list",
    summary="List erasures",
    response={200: Page[ErasureOut]},
)
def list_erasures(request: HttpRequest, query: Query[PageQuery]) -> HttpResponseBase:
    require(request, "messaging.view_erasure", "messaging.erase_client")
    return list_response(query, Erasure.objects.values(*COLUMNS))


@router.post(
    "/erasures/",
    operation_id="messaging_erasures_create",
    summary="Erase a client",
    response={201: ErasureOut},
)
def erase_client(request: HttpRequest, data: ErasureIn) -> HttpResponse:
    """Replaces the client's id and texts wherever they are kept, history included. It can't be undone."""
    require(request, "messaging.erase_client")
    record = services.erase_client(client=data.client, user=request.user, reason=data.reason)
    return json_response({name: getattr(record, "user_id" if name == "user" else name) for name in COLUMNS}, status=201)


@router.get(
    "/clients/",
    operation_id="messaging_clients_export",
    summary="Export all that is held on a client",
    response={200: ClientOut},
)
def export_client(request: HttpRequest, query: Query[ClientQuery]) -> HttpResponseBase:
    """Messages, their history, and what was sent of them; streamed."""
    require(request, "messaging.export_client")
    return StreamingHttpResponse(services.export_client(query.client), content_type="application/json")
