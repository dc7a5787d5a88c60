"""What a peer may ask of us to see whether both hold the same. Nothing here changes anything."""

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
from syncer.targets.peer.authentication import PROBLEMS, Node, Writer, shared_route, speaker
from syncer.targets.peer.contact import heard
from syncer.targets.peer.pair import digests, ends
from syncer.targets.peer.pair.objects import OBJECTS, PAGE, objects, page

READ = 50_000  # objects a question that are summed up: a second or two
NAMED = 1000  # objects a question that are told one by one

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
    names: list[Annotated[str, Field(max_length=64)]] = Field([], max_length=32, description="Fields to tell of each.")


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


class StatusOut(AnswerOut):
    matching: str
    routes: list[dict[str, Any]]


@router.post("/digests", response={200: DigestsOut} | PROBLEMS, summary="Sum up ranges of keys")
@not_atomic  # it reads for seconds
def digests_of_ranges(request: HttpRequest, data: DigestsIn) -> HttpResponse:
    """For the other back office of a pair: two ranges with one digest hold equal objects."""
    _, route = _asked(request, data)
    told: list[dict[str, Any]] = []
    room = NAMED if data.keys else READ
    for first, end in data.ranges:
        if room <= 0 and told:
            break
        one = _range(route, _as_range(first, end), request.user, keys=data.keys, most=max(room, 1))
        told.append(one)
        room -= one["count"]
        if one["covered_to"] is not None:
            break
    return _answer(ranges=told)


@router.post("/page", response={200: PageOut} | PROBLEMS, summary="List keys and digests")
@not_atomic  # it reads for seconds
def page_of_objects(request: HttpRequest, data: PageIn) -> HttpResponse:
    """For the other back office of a pair, before the first matching: all keys in order, a page at a time."""
    _, route = _asked(request, data)
    if strange := sorted({*data.names} - {*route.shared}):
        raise InvalidError(FieldError("names", f"{', '.join(strange)}: not among the fields that are shared."))
    found = page(route, after=None if data.after is None else str(data.after), names=data.names, user=request.user)
    return _answer(objects=found, is_last=len(found) < PAGE)


@router.post("/objects", response={200: ObjectsOut} | PROBLEMS, summary="Tell what some objects are")
@not_atomic  # it reads for seconds
def some_objects(request: HttpRequest, data: ObjectsIn) -> HttpResponse:
    """For the other back office of a pair: what is shared of the objects, and what is still to come of them."""
    _, route = _asked(request, data)
    return _answer(objects=objects(route, [str(key) for key in data.keys], user=request.user, whole=data.whole))


@router.get("/status", response={200: StatusOut} | PROBLEMS, summary="Tell how a pair stands")
@not_atomic  # it reads for seconds
def status(request: HttpRequest, query: Query[StatusQuery]) -> HttpResponse:
    """For the other back office of a pair: how far this one is, and by which rules it decides."""
    target = speaker(request, query.node)
    return _answer(matching=target.matching, routes=[one.as_json() for one in ends.ours(target)])


def _asked(request: HttpRequest, data: QuestionIn) -> tuple[Target, Route]:
    """Who asks, and what carries the model between us; reading needs the right to read.

    Raises:
        ProblemError: as `speaker` and `shared_route` say.
    """
    target = speaker(request, data.node, data.writer)
    heard(target, data.writer)
    route = shared_route(target, data.model)
    require_action(request, route.declaration.model, "view")
    return target, route


def _as_range(first: Key, end: Key) -> Range:
    return Range(None if first is None else str(first), None if end is None else str(end))


def _range(route: Route, part: Range, user: Any, *, keys: bool, most: int) -> dict[str, Any]:
    if keys:
        listed = digests.listed(route, part, user=user, most=most)
        return {"count": len(listed.digests), "keys": listed.digests, "covered_to": listed.covered_to}
    summary = digests.sum_up(route, part, user=user, most=most)
    return {"count": summary.count, "digest": summary.digest, "covered_to": summary.covered_to}


def _answer(**more: Any) -> HttpResponse:
    return json_response({"node": settings.NODE, "writer": identity.writer(), **more})
