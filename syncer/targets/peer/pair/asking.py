"""Questions to a peer that change nothing there: one at a time, counted, and answered or given up."""

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
from syncer.targets.peer.contact import heard
from syncer.targets.peer.message import WRITER
from syncer.targets.peer.wire import hand_over

NEVER = float("inf")
NOT_UNDERSTOOD = "answered something that no back office sends"


class Peer:
    """A peer that is asked.

    Attributes:
        requests, bytes: how many there were, and how large they and their answers were.
    """

    def __init__(self, target: Target) -> None:
        """Prepare to ask the peer.

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

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        """The answer to a question with a body, in the name of this node.

        Raises:
            NotPossibleError: there is none that can be used.
        """
        whole = {"node": settings.NODE, "writer": identity.writer(), **body}
        return self._ask(Request(method="POST", url=self._url(path), body=whole))

    def look(self, path: str) -> dict[str, Any]:
        """As `ask`, without a body."""
        return self._ask(Request(method="GET", url=self._url(path), query={"node": settings.NODE}))

    def _url(self, path: str) -> str:
        return f"{self.target.url.rstrip('/')}/sync/{path}"

    def _ask(self, request: Request) -> dict[str, Any]:
        result = hand_over(self._sender, request, ends=NEVER).result()
        self.requests += 1
        self.bytes += len(json.dumps(request.body)) if request.body else 0
        self.bytes += sum(len(one.exchange.body) for one in result.sent)
        if result.verdict is None or result.verdict.outcome is not Outcome.DONE:
            raise NotPossibleError(
                f"{self.target} {result.verdict.why if result.verdict else 'was not asked any more'}"
            )
        return self._checked(result.verdict.record)

    def _checked(self, record: dict[str, Any]) -> dict[str, Any]:
        node, writer = record.get("node"), record.get("writer")
        if not (isinstance(writer, str) and re.fullmatch(WRITER, writer) and node_of(writer) == node):
            raise self.not_understood()
        if node != self.target.peer_node:
            raise NotPossibleError(
                f"{self.target} is for {self.target.peer_node!r}, but {str(node)[:64]!r} answered there."
            )
        heard(self.target, writer)
        return record

    def not_understood(self) -> NotPossibleError:
        """What to raise where an answer is of another shape."""
        return NotPossibleError(f"{self.target} {NOT_UNDERSTOOD}")
