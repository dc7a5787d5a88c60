"""The endpoints by which a peer compares its objects with ours. They change no object."""

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from backoffice.kit.api.problems import FieldError, InvalidError
from backoffice.kit.api.responses import json_response
from backoffice.kit.auth import require_action
from backoffice.kit.idempotency.decorators import not_atomic
from syncer.core.ranges import ASKED, Range
from syncer.models import Route, Target
from syncer.targets.peer import identity
from syncer.targets.peer.authentication import PROBLEMS, Node, Writer, authenticate_peer, shared_route
from syncer.targets.peer.contact import record_contact
from syncer.targets.peer.pair import ends
from syncer.targets.peer.pair.objects import OBJECTS, PAGE, listed, objects, page, sum_up
from syncer.targets.peer.rows import Account

READ = 50_000  # objects that one question may sum up: a second or two
NAMED = 1000  # objects that one question may list

router = Router()
Key = UUID | None


class QuestionIn(BaseModel):
    """Who asks, and of what."""

    model_config = ConfigDict(extra="forbid")

    node: Node = Field(description="Who asks: its `BACKOFFICE_NODE`.")
    writer: Writer = Field(description="Its incarnation.")
    model: str = Field(max_length=64, description="Of what: such as `orders.Order`.")


class StatusQuery(BaseModel):
    node: Node


class DigestsIn(QuestionIn):
    ranges: list[tuple[Key, Key]] = Field(
        max_length=ASKED, description="From a key, which is in it, to a key, which is not; null: open."
    )
    keys: bool = Field(default=False, description="Each object's own digest instead of one of the range.")


class PageIn(QuestionIn):
    after: Key = Field(None, description="The last key of the page before; null: from the beginning.")
    names: list[Annotated[str, Field(max_length=64)]] = Field([], max_length=32, description="Fields to list of each.")


class ObjectsIn(QuestionIn):
    keys: list[UUID] = Field(max_length=OBJECTS)
    whole: bool = Field(default=False, description="With what is shared of them, and the edits that are known.")


class RangeOut(BaseModel):
    count: int = Field(description="Objects.")
    digest: str | None = Field(None, description="Of the range: SHA-256, cut to 16 bytes, over its objects' digests.")
    covered_to: str | None = Field(None, description="The answer ends at this key; null: it is complete.")
    keys: dict[str, str] | None = Field(None, description="Where they were asked for: each object's digest.")


class AnswerOut(BaseModel):
    node: str
    writer: str


class DigestsOut(AnswerOut):
    ranges: list[RangeOut] = Field(description="In the order asked. Those at the end that are left out: ask again.")


class PageOut(AnswerOut):
    objects: list[tuple[str, str, list[Any]]] = Field(description="Key, digest, and the fields asked for.")
    is_last: bool


class ObjectOut(BaseModel):
    fields: dict[str, Any] | None = Field(None, description="What is shared of it; null: it is not here.")
    seen: dict[str, int] = Field({}, description="The edits of it that are known here; empty: it never travelled.")
    standing: list[str] = Field(description="What is still to come: pending, rejected, held, conflict.")


class ObjectsOut(AnswerOut):
    objects: dict[str, ObjectOut]


class StatusOut(AnswerOut, ends.Status):
    pass


@router.post("/digests", response={200: DigestsOut} | PROBLEMS, summary="Sum up ranges of keys")
@not_atomic  # it reads for seconds
def digests_of_ranges(request: HttpRequest, data: DigestsIn) -> HttpResponse:
    """For the other back office of a pair: two ranges with one digest hold equal objects."""
    _, route = _asked(request, data)
    answers: list[dict[str, Any]] = []
    left = NAMED if data.keys else READ
    for first, end in data.ranges:
        if left <= 0 and answers:
            break
        part = Range(None if first is None else str(first), None if end is None else str(end))
        answer = _range(route, part, request.user, keys=data.keys, most=max(left, 1))
        answers.append(answer)
        left -= answer["count"]
        if answer["covered_to"] is not None:
            break
    return _answer(ranges=answers)


@router.post("/page", response={200: PageOut} | PROBLEMS, summary="List keys and digests")
@not_atomic  # it reads for seconds
def page_of_objects(request: HttpRequest, data: PageIn) -> HttpResponse:
    """For the other back office of a pair, before the first matching: all keys in order, a page at a time."""
    _, route = _asked(request, data)
    if unknown := sorted({*data.names} - {*route.shared}):
        raise InvalidError(FieldError("names", f"{', '.join(unknown)}: not among the fields that are shared."))
    lines = page(route, after=None if data.after is None else str(data.after), names=data.names, user=request.user)
    return _answer(objects=lines, is_last=len(lines) < PAGE)


@router.post("/objects", response={200: ObjectsOut} | PROBLEMS, summary="Describe some objects")
@not_atomic  # it reads for seconds
def some_objects(request: HttpRequest, data: ObjectsIn) -> HttpResponse:
    """For the other back office of a pair: what is shared of the objects, and what is still to come of them."""
    _, route = _asked(request, data)
    return _answer(objects=objects(route, [str(key) for key in data.keys], user=request.user, whole=data.whole))


@router.get("/status", response={200: StatusOut} | PROBLEMS, summary="Show the status of a pair")
@not_atomic  # it reads for seconds
def status(request: HttpRequest, query: Query[StatusQuery]) -> HttpResponse:
    """For the other back office of a pair: how far this one is, and by which rules it decides."""
    target = authenticate_peer(request, query.node)
    return _answer(**ends.Status(matching=target.matching, routes=ends.ours(target)).model_dump(mode="json"))


def _asked(request: HttpRequest, data: QuestionIn) -> tuple[Target, Route]:
    """Return the peer that asks and the model's route; its account needs the permission to view the model.

    Raises:
        ProblemError: see `authenticate_peer`, `shared_route` and `require_action`.
    """
    target = authenticate_peer(request, data.node, data.writer)
    record_contact(target, data.writer)
    route = shared_route(target, data.model)
    require_action(request, route.declaration.model, "view")
    return target, route


def _range(route: Route, part: Range, user: Account, *, keys: bool, most: int) -> dict[str, Any]:
    if keys:
        named = listed(route, part, user=user, most=most)
        return {"count": len(named.digests), "keys": named.digests, "covered_to": named.covered_to}
    summary = sum_up(route, part, user=user, most=most)
    return {"count": summary.count, "digest": summary.digest, "covered_to": summary.covered_to}


def _answer(**content: object) -> HttpResponse:
    return json_response({"node": settings.NODE, "writer": identity.writer(), **content})
