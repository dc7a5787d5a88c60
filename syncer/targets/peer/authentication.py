"""The checks that every request of a peer has to pass: its account, its node, its incarnation, the model's route."""

from typing import Annotated

from django.conf import settings
from django.http import HttpRequest
from pydantic import StringConstraints

from backoffice.kit.api.problems import FieldError, InvalidError, ProblemError, ProblemOut
from backoffice.kit.auth import require
from syncer.core.merge import node_of
from syncer.models import Route, Target
from syncer.models.backlog import stopped
from syncer.targets.peer import PEER
from syncer.targets.peer.identity import is_far
from syncer.targets.peer.message import WRITER

PERMISSION = "syncer.push_as_peer"
OFF_SECONDS = 60  # after which a peer that is paused here may try again
PROBLEMS = {401: ProblemOut, 403: ProblemOut, 409: ProblemOut, 422: ProblemOut, 503: ProblemOut}

Node = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")]
Writer = Annotated[str, StringConstraints(pattern=f"^{WRITER}$")]


def authenticate_peer(request: HttpRequest, node: str, writer: str = "") -> Target:
    """Return the target of the peer that sends the request.

    Raises:
        ProblemError: 403: this account may not act for the node; 409: the node is not a peer of ours; 422: `writer`
            was given and is not an incarnation of the node; 503: the peer is paused here.
    """
    require(request, PERMISSION)
    target = Target.objects.filter(kind=PEER, peer_node=node).first()
    if target is None:
        raise ProblemError(
            409, f"{settings.NODE} has no peer {node!r}: add a target of kind 'peer' for that node there."
        )
    if target.peer_user_id != request.user.pk:
        raise ProblemError(
            403, f"{request.user} may not act for {node!r}: it is not that target's account at {settings.NODE}."
        )
    if not target.enabled:
        off = f"{target} is paused at {settings.NODE}; changes wait."
        raise ProblemError(503, off, headers={"Retry-After": str(OFF_SECONDS)})
    if writer and (node_of(writer) != node or is_far(writer)):
        raise InvalidError(FieldError("writer", f"It is not an incarnation of {node}."))
    return target


def shared_route(target: Target, model: str) -> Route:
    """Return the enabled route that carries `model` between this node and the peer.

    Raises:
        ProblemError: 409: there is no such route; 503: the route is stopped until a person confirms that this database
            was restored.
    """
    route = Route.objects.filter(target=target, model=model, enabled=True).select_related("target").first()
    if route is None:
        raise ProblemError(409, f"{settings.NODE} has no route for {model!r} to {target.peer_node!r}: add one there.")
    if why := stopped(route):
        raise ProblemError(503, f"{settings.NODE}: {why}", headers={"Retry-After": str(OFF_SECONDS)})
    return route
