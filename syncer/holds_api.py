"""Hold and release in the JSON API, for programs of operators."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from backoffice.kit.api.problems import FieldError, InvalidError, ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Body, Text
from backoffice.kit.auth import require
from syncer.core.errors import SyncError
from syncer.engine import holding
from syncer.engine.holding import Chosen, chosen_of
from syncer.models import Binding, Route, Target
from syncer.models.binding import HELD_REASON_LENGTH
from syncer.models.keys import key_of
from syncer.models.mapping import declarations
from syncer.models.target import SYNC_PERMISSION
from syncer.reports import holds

router = Router()
MOST = 200  # objects of one request or answer
PROBLEMS = {403: ProblemOut, 422: ProblemOut}


class HeldOut(BaseModel):
    object: str = Field(description="Such as `news.Post:5`.")
    target: str
    at: datetime | None = Field(description="When it was put on hold.")
    by: str = Field(description="Who put it on hold; empty: a command did.")
    reason: str
    changed: bool = Field(description="Whether something is kept back that would be sent.")


class HoldsOut(BaseModel):
    number: int
    held: list[HeldOut] = Field(description=f"The first {MOST}, those held last first.")


class HoldsQuery(BaseModel):
    target: str = Field("", max_length=64, description="Only at this target.")
    model: str = Field("", max_length=64, description="Only of this model, such as `news.Post`.")


class ObjectsIn(Body):
    model: Text = Field(max_length=64, description="The model of the objects, such as `news.Post`.")
    ids: list[Text | int] = Field(min_length=1, max_length=MOST, description="Their ids, as the API shows them.")
    target: Text = Field(default="", max_length=64, description="Only at this target; empty: at all targets.")


class HoldIn(ObjectsIn):
    reason: Text = Field(max_length=HELD_REASON_LENGTH, description="Why; shown wherever the objects are shown.")


class NumberOut(BaseModel):
    number: int = Field(description="Objects whose hold began or ended, counted at each target.")


@router.get(
    "/holds/",
    operation_id="sync_holds_list",
    summary="List the objects on hold",
    response={200: HoldsOut} | PROBLEMS,
)
def list_holds(request: HttpRequest, query: Query[HoldsQuery]) -> HttpResponse:
    require(request, SYNC_PERMISSION)
    rows: QuerySet[Binding] = holds.on_hold(target=_target(query.target), model=query.model)
    found = holds.listed(rows, MOST)
    return json_response({"number": found.number, "held": holds.as_json(found.first)})


@router.post(
    "/holds/hold/",
    operation_id="sync_holds_hold",
    summary="Hold objects back from targets",
    response={200: NumberOut} | PROBLEMS,
)
def hold(request: HttpRequest, data: HoldIn) -> HttpResponse:
    """Nothing is sent for them until they are released; those on hold already keep their reason."""
    require(request, SYNC_PERMISSION)
    chosen = _chosen(data)
    if missing := holding.missing(chosen):
        raise InvalidError(*(FieldError("ids", f"{name} is not here, and was never sent.") for name in missing))
    try:
        number = holding.hold(chosen, reason=data.reason, user=request.user)
    except SyncError as error:
        raise InvalidError(FieldError("reason", str(error))) from error
    return json_response({"number": number})


@router.post(
    "/holds/release/",
    operation_id="sync_holds_release",
    summary="Release objects that are on hold",
    response={200: NumberOut} | PROBLEMS,
)
def release(request: HttpRequest, data: ObjectsIn) -> HttpResponse:
    """What they were kept from is sent now, as they are now."""
    require(request, SYNC_PERMISSION)
    return json_response({"number": holding.release(_chosen(data), user=request.user).number})


def _target(name: str) -> Target | None:
    """Return the named target; None: no name is given.

    Raises:
        InvalidError: there is no such target.
    """
    target = Target.objects.filter(name=name).first()
    if name and target is None:
        raise InvalidError(FieldError("target", f"There is no target {name}."))
    return target


def _chosen(data: ObjectsIn) -> Chosen:
    """Return the objects of a request.

    Raises:
        InvalidError: the model travels nowhere, or an id is not one of its.
    """
    target = _target(data.target)
    declaration = declarations().get(data.model)
    routes = Route.objects.filter(model=data.model)
    if declaration is None or not (routes if target is None else routes.filter(target=target)).exists():
        raise InvalidError(FieldError("model", f"{data.model} does not travel to {target or 'any target'}."))
    model = declaration.model
    keys = []
    for one in data.ids:
        try:
            keys.append(key_of(model, model._meta.pk.clean(one, None)))
        except ValidationError as error:
            raise InvalidError(FieldError("ids", f"{one} is not an id of {data.model}.")) from error
    return chosen_of(data.model, keys, targets=None if target is None else [target])
