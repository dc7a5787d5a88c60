"""The endpoint to which peers send batches; `batch` applies them."""

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.api.responses import json_response
from backoffice.kit.idempotency.decorators import not_atomic
from syncer.core.merge import State, edits_from_json
from syncer.engine import breaker
from syncer.models import Route, Target
from syncer.targets.peer import identity
from syncer.targets.peer.authentication import OFF_SECONDS, PROBLEMS, Node, Writer, authenticate_peer, shared_route
from syncer.targets.peer.checks import not_matched
from syncer.targets.peer.contact import record_contact
from syncer.targets.peer.inbound.batch import take_in
from syncer.targets.peer.inbound.checks import refuse_repeated, with_storable_authors
from syncer.targets.peer.message import LARGEST, Batch, Item, ItemResult
from syncer.targets.peer.rows import Account

TRIES = 3  # incarnations that one message may make us take, because the peer knows more of our edits than we do

Number = Annotated[int, Field(ge=1, lt=2**53)]
EditIn = tuple[Writer, Number, Any, str, str, str]
Name = Annotated[str, StringConstraints(pattern=r"^\w{1,64}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[\w.]{0,64}$")]

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

    node: Node = Field(description="The sender: its `BACKOFFICE_NODE`.")
    writer: Writer = Field(description="Its incarnation.")
    model: Label = Field("", description="What the items are, such as `orders.Order`.")
    items: list[ItemIn] = Field([], max_length=LARGEST)


class ItemResultOut(BaseModel):
    key: UUID
    result: str = Field(description="applied, already there, merged, conflict, refused, or later.")
    seen: dict[str, int] | None = Field(None, description="What is known here of the object; absent: nothing was kept.")
    fields: dict[str, list[str]] = Field({}, description="What is wrong, by field.")


class ChangesOut(BaseModel):
    node: str
    writer: str
    items: list[ItemResultOut]


@router.post("/changes", response={200: ChangesOut} | PROBLEMS, summary="Push changes")
@not_atomic  # it has transactions of its own, and where necessary one for each item
def changes(request: HttpRequest, data: ChangesIn) -> HttpResponse:
    """For the other back office of a pair. Each item is applied separately; a repeated batch changes nothing."""
    target = authenticate_peer(request, data.node, data.writer)
    items = tuple(_item(item) for item in data.items)
    refuse_repeated(items)
    record_contact(target, data.writer)
    breaker.bring_probe_forward(target, wait=breaker.SOON)
    route = _matched_route(target, data.model) if data.items else None
    batch = Batch(node=data.node, writer=data.writer, model=data.model, items=items)
    results = [] if route is None else _take_in(target, route, batch, request.user)
    answer = {"node": settings.NODE, "writer": identity.writer(), "items": [result.as_json() for result in results]}
    return json_response(answer)


def _matched_route(target: Target, model: str) -> Route:
    """Return the route as `shared_route` does.

    Raises:
        ProblemError: as there; also 503 if objects that both ends had must be matched first.
    """
    route = shared_route(target, model)
    if why := not_matched(route):
        raise ProblemError(503, f"{settings.NODE}: {why}", headers={"Retry-After": str(OFF_SECONDS)})
    return route


def _item(data: ItemIn) -> Item:
    fields = {name: with_storable_authors(edits) for name, edits in edits_from_json(data.fields).items()}
    return Item(
        key=str(data.key), state=State(seen=data.seen, fields=fields), is_open=data.open, asks=frozenset(data.asks)
    )


def _take_in(target: Target, route: Route, batch: Batch, user: Account) -> list[ItemResult]:
    """Apply the batch; if the peer knows edits of ours that this database lacks, first take a new incarnation.

    Raises:
        ProblemError: 503: even the incarnations just taken were behind.
    """
    for _ in range(TRIES):
        try:
            return take_in(target, route, batch, user=user)
        except identity.BehindError as behind:
            identity.take(f"{batch.node} knows edits of ours that this database does not.", after=[behind.known])
    raise ProblemError(
        503, f"{settings.NODE} finds out what it was before a restore; ask again.", headers={"Retry-After": "1"}
    )
