# ruff: noqa: A002 (the addresses call it `id`)
"""The API of one's own sessions: list, end."""

from typing import Any, Literal

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from backoffice.accounts.auth import owner
from backoffice.accounts.keys_api import Id
from backoffice.kit.api.lists import list_response
from backoffice.kit.api.responses import empty_response, json_response
from backoffice.kit.api.schemas import Page, PageQuery
from backoffice.kit.sessions import service
from backoffice.kit.sessions.models import Session, SessionQuerySet

router = Router()
COLUMNS = ("id", "family", "created_at", "last_seen_at", "expire_date", "address", "agent")


class SessionOut(BaseModel):
    id: int
    kind: Literal["browser", "program"] = Field(description="A `program` has tokens.")
    is_current: bool = Field(description="This request came with it.")
    created_at: AwareDatetime
    last_seen_at: AwareDatetime | None = Field(
        description="When a browser was seen, to five minutes; when a program last got tokens."
    )
    expires: AwareDatetime
    address: str | None = Field(description="Where it was last seen; the network, if that is IPv6.")
    agent: str = Field(description="What the browser or program calls itself.")


class EndedOut(BaseModel):
    ended: int = Field(description="How many sessions ended.")


@router.get("", operation_id="accounts_session_list", summary="List your sessions", response={200: Page[SessionOut]})
def list_sessions(request: HttpRequest, query: Query[PageQuery]) -> HttpResponseBase:
    here = {*service.current(request).values_list("pk", flat=True)}

    def shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [_shown(row, is_current=row["id"] in here) for row in rows]

    return list_response(query, _own(request).values(*COLUMNS), convert=shown)


@router.delete(
    "{int:id}/", operation_id="accounts_session_end", summary="End one of your sessions", response={204: None}
)
def end_session(request: HttpRequest, id: Id) -> HttpResponse:
    """The browser has to sign in again; a program's tokens don't work any more."""
    if not service.end(_own(request).filter(pk=id), owner(request)):
        raise Http404
    return empty_response(204)


@router.post(
    "end-others/", operation_id="accounts_session_end_others", summary="End your other sessions", response=EndedOut
)
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Ends all but the one that this request came with. API keys go on."""
    others = _own(request).exclude(pk__in=service.current(request).values("pk"))
    return json_response({"ended": service.end(others, owner(request))})


def _own(request: HttpRequest) -> SessionQuerySet:
    return Session.objects.open_of(owner(request))


def _shown(row: dict[str, Any], *, is_current: bool) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": "browser" if row["family"] is None else "program",
        "is_current": is_current,
        "created_at": row["created_at"],
        "last_seen_at": row["last_seen_at"],
        "expires": row["expire_date"],
        "address": row["address"],
        "agent": row["agent"],
    }
