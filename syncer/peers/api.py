"""The door that peers come through; what is behind it is `inbound.py`."""

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backoffice.kit.api.problems import FieldError, Invalid, Problem, ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.auth import require
from backoffice.kit.idempotency.decorators import not_atomic
from syncer import breaker
from syncer.core.replica import State, edits_from_json
from syncer.models import Route, Target
from syncer.peers import identity
from syncer.peers.contact import heard
from syncer.peers.inbound.batch import take_in
from syncer.peers.inbound.checks import mended, refuse_dishonest
from syncer.peers.message import LARGEST, Batch, Item, Told
from syncer.peers.pair import unmet
from syncer.reports.status import stopped

PERMISSION = "syncer.speak_as_peer"
OFF_SECONDS = 60  # until a peer that was switched off here asks again
PROBLEMS = {401: ProblemOut, 403: ProblemOut, 409: ProblemOut, 422: ProblemOut, 503: ProblemOut}

Node = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")]
Writer = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}:[0-9a-f]{1,24}$")]
Number = Annotated[int, Field(ge=1, lt=2**53)]
EditIn = tuple[Writer, Number, Any, str, str, str]
Name = Annotated[str, StringConstraints(pattern=r"^\w{1,64}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[\w.]{0,64}$")]
TRIES = 3  # that a peer may know more of us than we do, in one message

router = Router()


class ItemIn(BaseModel):
    """One object as the peer knows it."""

    model_config = ConfigDict(extra="forbid")

    key: UUID
    seen: dict[Writer, Number] = Field(
        min_length=1, description="The edits that the peer knows: the highest number of each writer."
    )
    fields: dict[Name, list[EditIn]] = Field(
        description="Of each field, and of `exists`, the edits that none overruled: "
        "`[writer, number, value, user, reason, at]`."
    )
    open: Annotated[bool, Field(description="Its edits together are not valid there, and wait for a person.")] = False
    asks: Annotated[list[Name], Field(max_length=256, description="Fields of which a person is to choose there.")] = []


class ChangesIn(BaseModel):
    """What one back office hands to another."""

    model_config = ConfigDict(extra="forbid")

    node: Node = Field(description="Who speaks: its `BACKOFFICE_NODE`.")
    writer: Writer = Field(description="Its incarnation.")
    model: Label = Field("", description="What the items are, such as `orders.Order`.")
    items: list[ItemIn] = Field([], max_length=LARGEST)


class ToldOut(BaseModel):
    key: UUID
    result: str = Field(description="applied, already there, merged, conflict, refused, or later.")
    seen: dict[str, int] | None = Field(None, description="What is known here of the object; absent: nothing was kept.")
    fields: dict[str, list[str]] = Field({}, description="What is wrong, by field.")


class ChangesOut(BaseModel):
    node: str
    writer: str
    items: list[ToldOut]


@router.post("/changes", response={200: ChangesOut} | PROBLEMS, summary="Hand in changes")
@not_atomic  # it commits by itself, item by item where it must
def changes(request: HttpRequest, data: ChangesIn) -> HttpResponse:
    """For the other back office of a pair. Each item is judged by itself; a batch that is repeated changes nothing."""
    target = speaker(request, data.node)
    if data.writer.partition(":")[0] != data.node:
        raise Invalid(FieldError("writer", f"It is no incarnation of {data.node}."))
    items = tuple(_item(one) for one in data.items)
    refuse_dishonest(items)
    heard(target, data.writer)
    breaker.is_there(target)
    route = _met_route(target, data.model) if data.items else None
    batch = Batch(node=data.node, writer=data.writer, model=data.model, items=items)
    told = [] if route is None else _take_in(target, route, batch, request.user)
    answer = {"node": settings.NODE, "writer": identity.writer(), "items": [one.as_json() for one in told]}
    return json_response(answer)


def speaker(request: HttpRequest, node: str) -> Target:
    """The peer in whose name the request speaks.

    Raises:
        Problem: 403: this account may not; 409: that node is no peer of ours; 503: it was switched off here.
    """
    require(request, PERMISSION)
    target = Target.objects.filter(kind=Target.Kind.PEER, peer_node=node).first()
    if target is None:
        raise Problem(409, f"{settings.NODE} has no peer {node!r}: add a target of kind 'peer' for that node there.")
    if target.peer_user_id != request.user.pk:
        raise Problem(
            403, f"{request.user} does not speak for {node!r}: it is not that target's account at {settings.NODE}."
        )
    if not target.enabled:
        off = f"{target} is switched off at {settings.NODE}; changes wait."
        raise Problem(503, off, headers={"Retry-After": str(OFF_SECONDS)})
    return target


def shared_route(target: Target, model: str) -> Route:
    """What carries `model` between us.

    Raises:
        Problem: 409: nothing does; 503: this database was restored, and nobody has said so yet.
    """
    route = Route.objects.filter(target=target, model=model, enabled=True).select_related("target").first()
    if route is None:
        raise Problem(409, f"{settings.NODE} has no route for {model!r} to {target.peer_node!r}: add one there.")
    if why := stopped(route):
        raise Problem(503, f"{settings.NODE}: {why}", headers={"Retry-After": str(OFF_SECONDS)})
    return route


def _met_route(target: Target, model: str) -> Route:
    """As `shared_route`.

    Raises:
        Problem: 503 too where objects that both ends had are to be matched first.
    """
    route = shared_route(target, model)
    if why := unmet.why(route):
        raise Problem(503, f"{settings.NODE}: {why}", headers={"Retry-After": str(OFF_SECONDS)})
    return route


def _item(data: ItemIn) -> Item:
    fields = {name: mended(edits) for name, edits in edits_from_json(data.fields).items()}
    return Item(
        key=str(data.key), state=State(seen=data.seen, fields=fields), is_open=data.open, asks=frozenset(data.asks)
    )


def _take_in(target: Target, route: Route, batch: Batch, user: Any) -> list[Told]:
    for _ in range(TRIES):
        try:
            return take_in(target, route, batch, user=user)
        except identity.Behind as behind:
            identity.take(f"{batch.node} knows edits of ours that this database does not.", after=[behind.known])
    raise Problem(
        503, f"{settings.NODE} finds out what it was before a restore; ask again.", headers={"Retry-After": "1"}
    )
