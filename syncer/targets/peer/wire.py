"""Batches as requests, and what comes back as data."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.utils import timezone

from backoffice.kit.http import Request
from syncer.core.decide import Action
from syncer.core.merge import VersionVector, node_of
from syncer.core.outcome import Outcome, Verdict, classify
from syncer.engine.sender import Sender, SendResult
from syncer.models import Route, Target
from syncer.targets.peer.identity import is_far
from syncer.targets.peer.message import PATH, WRITER, Item, ItemResult, Result


class AnswerError(ValueError):
    """It is not what a peer answers. The message is a predicate that reads on from the target's name."""


class Holds(Protocol):
    """What has an item."""

    @property
    def item(self) -> Item: ...


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a peer said to a batch; `told` is by the items' keys."""

    node: str
    writer: str
    told: Mapping[str, ItemResult]


def changes(route: Route, me: str, found: Sequence[Holds]) -> Request:
    """A batch of one model's items, as our incarnation `me`."""
    return _request(route.target, me, model=route.model, items=[one.item.as_json() for one in found])


def hello(target: Target, me: str) -> Request:
    """A batch of nothing, which says who we are."""
    return _request(target, me)


def _request(target: Target, me: str, **more: Any) -> Request:
    body = {"node": settings.NODE, "writer": me, **more}
    return Request(method="POST", url=f"{target.url.rstrip('/')}{PATH}", body=body)


def hand_over(sender: Sender, request: Request, *, ends: float) -> "Future[SendResult]":
    """Send a request to a peer, unless the lease (monotonic seconds) would end too soon."""

    def work() -> SendResult:
        sent = sender.exchange(request, ends)
        if sent is None:
            return SendResult(verdict=None)
        verdict = classify(Action.PUSH, sent.exchange, now=timezone.now())
        if sender.returned_secret(sent.exchange):
            verdict = Verdict(outcome=Outcome.UNKNOWN, why="sent our own secret back")
        return SendResult(verdict=verdict, sent=(sent,))

    return sender.submit(work)


def read_answer(record: Mapping[str, Any]) -> Answer:
    """What the peer answered.

    Raises:
        AnswerError: it is of another shape.
    """
    try:
        told = [_told(one) for one in record["items"]]
        node, writer = str(record["node"]), str(record["writer"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError("answered something that no back office sends") from error
    if not re.fullmatch(WRITER, writer) or node_of(writer) != node or is_far(writer):
        raise AnswerError("answered without a valid incarnation")
    return Answer(node=node, writer=writer, told={one.key: one for one in told})


def _told(record: Mapping[str, Any]) -> ItemResult:
    fields = {_text(name): [_text(text) for text in texts] for name, texts in record.get("fields", {}).items()}
    return ItemResult(key=str(record["key"]), result=Result(record["result"]), seen=_seen(record), fields=fields)


def _seen(record: Mapping[str, Any]) -> VersionVector | None:
    found = record.get("seen")
    if found is not None and not all(isinstance(number, int) and 0 < number < 2**53 for number in found.values()):
        raise ValueError(found)
    return None if found is None else {str(writer): number for writer, number in found.items()}


def _text(found: Any) -> str:
    """What can be kept: no NUL, and no half a character."""
    return str(found).replace("\x00", "").encode(errors="replace").decode()
