"""Batches as HTTP requests to a peer, and its answers as data."""

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
    """A peer's answer has the wrong shape. The message is a predicate that follows the target's name."""


class HasItem(Protocol):
    """Anything with an item to send."""

    @property
    def item(self) -> Item: ...


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A peer's answer to a batch.

    Attributes:
        node, writer: the node that answered, and its incarnation.
        results: what became of each item, by the items' keys.
    """

    node: str
    writer: str
    results: Mapping[str, ItemResult]


def batch_request(route: Route, me: str, batch: Sequence[HasItem]) -> Request:
    """Return a request with items of one model, sent as our incarnation `me`."""
    return _request(route.target, me, model=route.model, items=[pushed.item.as_json() for pushed in batch])


def handshake_request(target: Target, me: str) -> Request:
    """Return a request without items, which only names our node and its incarnation `me`."""
    return _request(target, me)


def _request(target: Target, me: str, **content: object) -> Request:
    body = {"node": settings.NODE, "writer": me, **content}
    return Request(method="POST", url=f"{target.url.rstrip('/')}{PATH}", body=body)


def send(sender: Sender, request: Request, *, ends: float) -> "Future[SendResult]":
    """Send a request to a peer in a thread of the sender.

    Args:
        ends: when the lease ends, in monotonic seconds; nothing is sent if too little of it is left.
    """

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
    """Parse a peer's answer to a batch.

    Raises:
        AnswerError: the answer has another shape, or names no valid incarnation.
    """
    try:
        results = [_item_result(item) for item in record["items"]]
        node, writer = str(record["node"]), str(record["writer"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError("answered something that no back office sends") from error
    if not re.fullmatch(WRITER, writer) or node_of(writer) != node or is_far(writer):
        raise AnswerError("answered without a valid incarnation")
    return Answer(node=node, writer=writer, results={result.key: result for result in results})


def _item_result(record: Mapping[str, Any]) -> ItemResult:
    fields = {_text(name): [_text(text) for text in texts] for name, texts in record.get("fields", {}).items()}
    return ItemResult(key=str(record["key"]), result=Result(record["result"]), seen=_seen(record), fields=fields)


def _seen(record: Mapping[str, Any]) -> VersionVector | None:
    seen = record.get("seen")
    if seen is not None and not all(isinstance(number, int) and 0 < number < 2**53 for number in seen.values()):
        raise ValueError(seen)
    return None if seen is None else {str(writer): number for writer, number in seen.items()}


def _text(value: object) -> str:
    """Return text that a database can store: without NUL characters and unpaired surrogates."""
    return str(value).replace("\x00", "").encode(errors="replace").decode()
