"""A client for questions to a peer, which change nothing there: sent one at a time, and counted."""

import json
import re
from types import TracebackType
from typing import Any, Self

from django.conf import settings

from backoffice.kit.http import Request
from syncer.core.errors import NotPossibleError
from syncer.core.merge import node_of
from syncer.core.outcome import Outcome
from syncer.engine.sender import Sender
from syncer.models import Target
from syncer.targets.peer import PEER, identity
from syncer.targets.peer.contact import record_contact
from syncer.targets.peer.message import WRITER
from syncer.targets.peer.wire import send

NEVER = float("inf")
NOT_UNDERSTOOD = "answered something that no back office sends"


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
            raise NotPossibleError(f"{target} is not a peer: only another back office can be asked that.")
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
        return NotPossibleError(f"{self.target} {NOT_UNDERSTOOD}")

    def _url(self, path: str) -> str:
        return f"{self.target.url.rstrip('/')}/sync/{path}"

    def _exchange(self, request: Request) -> dict[str, Any]:
        result = send(self._sender, request, ends=NEVER).result()
        self.requests += 1
        self.bytes += len(json.dumps(request.body)) if request.body else 0
        self.bytes += sum(len(sent.exchange.body) for sent in result.sent)
        if result.verdict is None or result.verdict.outcome is not Outcome.DONE:
            raise NotPossibleError(
                f"{self.target} {result.verdict.why if result.verdict else 'was not asked any more'}"
            )
        answer = result.verdict.record
        node, writer = answer.get("node"), answer.get("writer")
        if not (isinstance(writer, str) and re.fullmatch(WRITER, writer) and node_of(writer) == node):
            raise self.invalid_answer()
        if node != self.target.peer_node:
            raise NotPossibleError(
                f"{self.target} is for {self.target.peer_node!r}, but {str(node)[:64]!r} answered there."
            )
        record_contact(self.target, writer)
        return answer
