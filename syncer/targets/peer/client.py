"""Requests to a peer: batches, the handshake, and questions that change nothing there; and its answers as data."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.kit.http import Request
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import phrase
from syncer.core.decide import Action
from syncer.core.errors import NotPossibleError
from syncer.core.merge import VersionVector, node_of
from syncer.core.outcome import Outcome, Verdict, classify
from syncer.engine.sender import Flow, Sender, SendResult, Task
from syncer.models import Target
from syncer.targets.peer import PEER, identity
from syncer.targets.peer.contact import record_contact
from syncer.targets.peer.identity import is_far
from syncer.targets.peer.message import PATH, WRITER, Item, ItemResult, Result

NEVER = float("inf")
NOT_UNDERSTOOD = phrase("answered something that no back office sends")


class AnswerError(ValueError):
    """A peer's answer has the wrong shape. The message is a predicate that follows the target's name."""


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


def handshake_request(target: Target, me: str, **content: object) -> Request:
    """Return a request without items, which only names our node and its incarnation `me`."""
    body = {"node": settings.NODE, "writer": me, **content}
    return Request(method="POST", url=f"{target.url.rstrip('/')}{PATH}", body=body)


def batch_request(target: Target, me: str, model: str, items: Iterable[Item]) -> Request:
    """Return a request with items of one model, sent as our incarnation `me`."""
    return handshake_request(target, me, model=model, items=[item.as_json() for item in items])


def send(sender: Sender, request: Request, *, ends: float) -> Task[SendResult]:
    """Let the sender send a request to a peer.

    Args:
        ends: when the lease ends, in monotonic seconds; nothing is sent if too little of it is left.
    """
    return sender.submit(_flow(sender, request, ends))


def _flow(sender: Sender, request: Request, ends: float) -> Flow[SendResult]:
    sent = yield from sender.exchange(request, ends)
    if sent is None:
        return SendResult(verdict=None)
    verdict = classify(Action.PUSH, sent.exchange, now=timezone.now())
    if sender.returned_secret(sent.exchange):
        verdict = Verdict(outcome=Outcome.UNKNOWN, why=phrase("sent our own secret back"))
    return SendResult(verdict=verdict, sent=(sent,))


def read_answer(record: Mapping[str, Any]) -> Answer:
    """Parse a peer's answer to a batch.

    Raises:
        AnswerError: the answer has another shape, or names no valid incarnation.
    """
    try:
        results = [_item_result(item) for item in record["items"]]
        node, writer = str(record["node"]), str(record["writer"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError(NOT_UNDERSTOOD) from error
    if not re.fullmatch(WRITER, writer) or node_of(writer) != node or is_far(writer):
        raise AnswerError(phrase("answered without a valid incarnation"))
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


class PeerClient:
    """An open connection to a peer.

    Attributes:
        target: the peer's target.
        requests: the number of requests so far.
        bytes: the size of their bodies and answers.
    """

    def __init__(self, target: Target) -> None:
        """Prepare to send requests to the peer.

        Raises:
            NotPossibleError: the target is not a peer.
        """
        if target.kind != PEER:
            text = _("%(target)s is not a peer: only another back office can be asked that.")
            raise NotPossibleError(text % {"target": target})
        self.target, self.requests, self.bytes = target, 0, 0
        self._sender = Sender(target)

    def __enter__(self) -> Self:
        self._sender.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sender.__exit__(kind, error, trace)

    def post(self, path: str, **body: object) -> dict[str, Any]:
        """Send a question with a body, signed with this node and its incarnation; return the answer's JSON.

        Raises:
            NotPossibleError: there is no usable answer.
        """
        signed = {"node": settings.NODE, "writer": identity.writer(), **body}
        return self._exchange(Request(method="POST", url=self._url(path), body=signed))

    def get(self, path: str) -> dict[str, Any]:
        """Send a question without a body, with this node's name; return the answer's JSON.

        Raises:
            NotPossibleError: there is no usable answer.
        """
        return self._exchange(Request(method="GET", url=self._url(path), query={"node": settings.NODE}))

    def invalid_answer(self) -> NotPossibleError:
        """Return the error to raise for an answer of the wrong shape."""
        return NotPossibleError(_("%(target)s %(why)s") % {"target": self.target, "why": localized(NOT_UNDERSTOOD)})

    def _url(self, path: str) -> str:
        return f"{self.target.url.rstrip('/')}/sync/{path}"

    def _exchange(self, request: Request) -> dict[str, Any]:
        result = self._sender.finish(send(self._sender, request, ends=NEVER))
        self.requests += 1
        self.bytes += len(json.dumps(request.body)) if request.body else 0
        self.bytes += sum(len(sent.exchange.body) for sent in result.sent)
        if result.verdict is None or result.verdict.outcome is not Outcome.DONE:
            why = localized(result.verdict.why) if result.verdict else _("was not asked any more")
            raise NotPossibleError(_("%(target)s %(why)s") % {"target": self.target, "why": why})
        answer = result.verdict.record
        node, writer = answer.get("node"), answer.get("writer")
        if not (isinstance(writer, str) and re.fullmatch(WRITER, writer) and node_of(writer) == node):
            raise self.invalid_answer()
        if node != self.target.peer_node:
            text = _("%(target)s is for %(peer)r, but %(node)r answered there.")
            raise NotPossibleError(
                text % {"target": self.target, "peer": self.target.peer_node, "node": str(node)[:64]}
            )
        record_contact(self.target, writer)
        return answer
