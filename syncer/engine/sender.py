"""Sending: what is asked of a target for one delivery, and what came of it, for `settling.py` to write.

A flow is what is asked for one delivery: a generator that yields one request after the other, and gets what came of
each. It uses no database and does not wait. The `Sender` drives many of them at the same time, in the worker's own
thread, so that nothing has to be locked.
"""

import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, Self, TypeVar

from django.conf import settings
from django.utils import timezone

from backoffice.kit import tracing
from backoffice.kit.http import Answer, Client, ForbiddenError, HttpError, LostError, Request
from backoffice.kit.masking import Mask
from backoffice.kit.phrases import message_of
from backoffice.kit.transfers import Completion, Transfers
from syncer.core import circuit
from syncer.core.outcome import ANSWER_KEPT, Exchange, Outcome, Silence, Verdict
from syncer.engine.signin import SignIn, SignInBusyError, SignInRefusedError
from syncer.models import Target
from syncer.models.request_defaults import query_text

PATIENCE = 1.0  # seconds between two looks at what is under way


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One exchange, as an attempt will record it."""

    request: Request
    exchange: Exchange
    at: datetime
    milliseconds: int
    outcome: Outcome | None = None  # of a request that only asks; None: that of the whole delivery


@dataclass(frozen=True, kw_only=True)
class SendResult:
    """The result of sending one delivery."""

    verdict: Verdict | None  # what the answers mean; None: nothing was sent after all
    sent: tuple[Sent, ...] = ()  # every exchange that was made
    records: tuple[Any, ...] = ()  # that the target listed, for a lookup: JSON of any shape
    steps: int = 1  # in which the delivery was sent

    @property
    def ended(self) -> datetime:
        """The end of the last exchange. There must have been one."""
        last = self.sent[-1]
        return last.at + timedelta(milliseconds=last.milliseconds)


R = TypeVar("R")
Flow = Generator[Request, Any, R]  # it gets a `Completion` for each request, and None at its beginning


@dataclass(kw_only=True, eq=False)
class Task(Generic[R]):
    """A flow that was handed to a sender.

    Attributes:
        result: what it returned; only once it `has_ended`.
    """

    flow: Flow[R]
    conclude: Callable[[R], R]
    has_ended: bool = False
    result: R = field(init=False)
    _then: list[Callable[[], None]] = field(default_factory=list)

    def then(self, call: Callable[[], None]) -> None:
        """Have something called once the flow has ended; at once if it has."""
        if self.has_ended:
            call()
        else:
            self._then.append(call)

    def end(self, result: R) -> None:
        """Keep what the flow returned, and call those who wait for it."""
        self.result, self.has_ended = self.conclude(result), True
        for call in self._then:
            call()


class Sender:
    """Sends to one target with its credential and limits, for the length of a run. To be used by one thread.

    It stops automatically, between two requests, when an answer asks for it or too many failed in a row: a target that
    is down refuses hundreds of requests in the time in which those failures are settled.
    """

    def __init__(self, target: Target) -> None:
        self.client = Client(timeout=target.timeout)
        self.concurrency = target.concurrency
        self._name = target.name
        self._headers = target.headers
        self._query = {name: query_text(value) for name, value in target.query.items()}
        self._sign_in = SignIn(target, self.client)
        self._transfers = Transfers(timeout=target.timeout)
        self._waiting: deque[Task[Any]] = deque()
        self._failures = 0
        self._forbidden: dict[int | None, bool] = {}  # {delivery: is a delete}, those refused since the last success
        self._plausible: set[object] = set()  # the shapes of answers that show no record and were confirmed
        self.has_succeeded = False  # whether the target has carried out a request of this run
        self.is_stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._transfers.close()

    @property
    def lease_seconds(self) -> float:
        """The length of a claim: enough for a request that is sent late in it."""
        return max(float(settings.SYNC_LEASE_SECONDS), 3 * self.client.request_seconds)

    def stop(self) -> None:
        """Send no further request."""
        self.is_stopped = True

    def submit(self, flow: Flow[SendResult], *, about: int | None = None, is_delete: bool = False) -> Task[SendResult]:
        """Let a flow begin as soon as a place is free; its verdict may stop the sender.

        Args:
            about: the binding that is delivered: refusals of different ones in a row are the target's.
            is_delete: all refused deletes together count as one: a credential may change records and not delete them.
        """
        task = Task(flow=flow, conclude=partial(self._observe, about=about, is_delete=is_delete))
        self._waiting.append(task)
        return task

    def wait(self, seconds: float = PATIENCE) -> None:
        """Begin what waits, and read answers until a request has ended, for at most so many seconds."""
        while self._waiting and len(self._transfers) < self.concurrency:
            self._go_on(self._waiting.popleft())
        self._transfers.wait(seconds)

    def finish(self, task: Task[R]) -> R:
        """Return what a flow returns, as soon as it has ended."""
        while not task.has_ended:
            self.wait()
        return task.result

    def run(self, flow: Flow[R]) -> R:
        """Return what a flow returns that is no delivery: no answer to it stops the sender."""
        task = Task(flow=flow, conclude=lambda result: result)
        self._waiting.appendleft(task)
        return self.finish(task)

    def _go_on(self, task: Task[Any], done: Completion | None = None) -> None:
        """Give a flow what came of its request, and send its next one, unless it has ended."""
        try:
            request = task.flow.send(done)
        except StopIteration as end:
            task.end(end.value)
        else:
            self._transfers.start(request, partial(self._go_on, task))

    def _observe(self, result: SendResult, *, about: int | None, is_delete: bool) -> SendResult:
        verdict = result.verdict
        if verdict is None:
            return result
        if verdict.outcome is Outcome.FORBIDDEN:
            self._forbidden[about] = is_delete
            deletes = sum(self._forbidden.values())
            if len(self._forbidden) - deletes + bool(deletes) >= circuit.forbidden_most(
                has_succeeded=self.has_succeeded
            ):
                verdict = replace(verdict, outcome=Outcome.CONFIGURATION)
                result = replace(result, verdict=verdict)
        elif circuit.evidence_of(verdict) is circuit.Evidence.ANSWERED:
            self._forbidden.clear()
            self.has_succeeded |= verdict.outcome is Outcome.DONE
        self._failures = circuit.in_a_row(self._failures, verdict)
        if self._failures >= circuit.FAILURES or circuit.stops_all(verdict):
            self.stop()
        return result

    def is_plausible(self, shape: object) -> bool:
        """Return whether an answer of this shape was confirmed in this run, while the list answered as the API does."""
        return shape in self._plausible

    def confirm(self, shape: object) -> None:
        self._plausible.add(shape)

    @property
    def mask(self) -> Mask:
        """The mask that hides every secret used to sign in so far."""
        return self._sign_in.mask

    def is_secret(self, value: object) -> bool:
        """Return whether a value of an answer holds a secret of ours."""
        return isinstance(value, str) and self.mask.finds(value)

    def returned_secret(self, exchange: Exchange) -> bool:
        return self.mask.finds(exchange.body.decode(errors="replace"))

    def exchange(self, request: Request, ends: float) -> Flow[Sent | None]:
        """Sign and send a request, and once more with a fresh token if the first one had expired.

        Return None if nothing was sent: the sender has stopped, or the lease, which `ends` at a time of the monotonic
        clock, ends too soon.
        """
        at, milliseconds = timezone.now(), 0
        if self._must_not_send(ends):
            return None  # before the sign-in, which is a request too
        try:
            headers = self._sign_in.headers()
            if self._must_not_send(ends):
                return None
            done: Completion = yield self._signed(request, headers)
            if isinstance(done.result, Answer) and done.result.status == 401 and self._sign_in.can_renew:
                self._sign_in.forget(headers)
                headers = self._sign_in.headers()
                if self._must_not_send(ends):
                    return None
                done = yield self._signed(request, headers)
            exchange, at, milliseconds = self._exchange(done.result), done.left_at, int(done.seconds * 1000)
            tracing.record(
                request.method, begin=at, seconds=done.seconds, target=self._name, status=exchange.status or 0
            )
        except SignInRefusedError as error:
            exchange = Exchange(silence=Silence.REFUSED_BY_US, why=message_of(error))
        except SignInBusyError as error:
            waits = {"retry-after": error.retry_after}
            exchange = Exchange(silence=Silence.NOT_SENT, why=message_of(error), status=error.status, headers=waits)
        except HttpError as error:  # of the sign-in: the request itself was not sent
            exchange = Exchange(silence=_not_sent(error), why=message_of(error))
        # The address of a list's next page comes from the target, so it may hold a secret.
        masked = replace(request, url=self.mask.hide(request.url))
        return Sent(request=masked, exchange=exchange, at=at, milliseconds=milliseconds)

    def sign_in(self) -> str:
        """Sign in, and return why that does not work; empty where it does, or is not needed."""
        try:
            self._sign_in.headers()
        except (SignInRefusedError, HttpError) as error:
            return message_of(error)
        return ""

    def shown(self, request: Request) -> Request:
        """Return a request as it is sent, with its secrets hidden; not signed where signing in does not work."""
        try:
            signed = self._signed(request, self._sign_in.headers())
        except (SignInRefusedError, HttpError):
            signed = self._signed(request, {})
        headers = {name: self.mask.hide(value) for name, value in signed.headers.items()}
        return replace(signed, url=self.mask.hide(signed.url), headers=headers)

    def _must_not_send(self, ends: float) -> bool:
        return self.is_stopped or ends - time.monotonic() <= self.client.request_seconds

    def _signed(self, request: Request, headers: dict[str, str]) -> Request:
        """Return a request with the target's defaults and the headers that sign it."""
        request = request.with_defaults(self._headers, self._query)
        return replace(request, headers={**request.headers, **headers})

    def _exchange(self, answer: Answer | HttpError) -> Exchange:
        if isinstance(answer, HttpError):
            silence = Silence.LOST if isinstance(answer, LostError) else _not_sent(answer)
            return Exchange(silence=silence, why=answer.why)
        excerpt = self.mask.beginning(answer.body, ANSWER_KEPT)
        return Exchange(status=answer.status, body=answer.body, excerpt=excerpt, headers=answer.headers)


def _not_sent(error: HttpError) -> Silence:
    return Silence.REFUSED_BY_US if isinstance(error, ForbiddenError) else Silence.NOT_SENT
