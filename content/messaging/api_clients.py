"""What may be done with a client: erase, and export. Their id may hold any character, so it is in no path."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from backoffice.kit.api.pagination import page
from backoffice.kit.api.problems import ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Body, Text
from backoffice.kit.auth import require
from content.base.listing import refuse_unknown
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


class ErasurePage(BaseModel):
    items: list[ErasureOut]
    next: str | None


class ErasureQuery(BaseModel):
    limit: int = Field(default=50, ge=1, le=500, description="Items a page.")
    cursor: str | None = Field(default=None, description="`next` of the page before.")


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


def _docs(name: str, summary: str, success: Any, *errors: int) -> dict[str, Any]:
    answers = success | dict.fromkeys((401, 403, *errors), ProblemOut)
    return {"operation_id": f"messaging_{name}", "summary": summary, "response": answers}


@router.get("/erasures/", **_docs("erasures_list", "List erasures", {200: ErasurePage}, 422))
def list_erasures(request: HttpRequest, query: Query[ErasureQuery]) -> HttpResponse:
    require(request, "messaging.view_erasure", "messaging.erase_client")
    refuse_unknown(request, query)
    items, following = page(Erasure.objects.values(*COLUMNS), limit=query.limit, cursor=query.cursor)
    return json_response({"items": items, "next": following})


@router.post("/erasures/", **_docs("erasures_create", "Erase a client", {201: ErasureOut}, 400, 409, 422))
def erase_client(request: HttpRequest, data: ErasureIn) -> HttpResponse:
    """Replaces the client's id and texts wherever they are kept, history included. It can't be undone."""
    require(request, "messaging.erase_client")
    record = services.erase_client(client=data.client, user=request.user, reason=data.reason)
    return json_response({name: getattr(record, "user_id" if name == "user" else name) for name in COLUMNS}, status=201)


@router.get("/clients/", **_docs("clients_export", "Export all that is held on a client", {200: ClientOut}, 422))
def export_client(request: HttpRequest, query: Query[ClientQuery]) -> HttpResponseBase:
    """Messages, their history, and what was sent of them; streamed."""
    require(request, "messaging.export_client")
    refuse_unknown(request, query)
    return StreamingHttpResponse(services.export_client(query.client), content_type="application/json")
