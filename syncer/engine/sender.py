"""Sending: requests leave here, in threads that touch no database. What comes back is data for the settling."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.utils import timezone

from backoffice.kit.http import Client, Forbidden, HttpError, Lost, Request
from syncer.core import circuit
from syncer.core.decide import Action, Payload
from syncer.core.outcome import ANSWER_KEPT, Exchange, Outcome, Silence, UnreadableError, Verdict, classify, read_json
from syncer.engine.signin import Credential, SignIn, SignInBusyError, SignInRefusedError
from syncer.models import Target
from syncer.targets.rest.endpoint import Endpoint, ListError

# Nothing was changed, but to begin anew at once would be to end the same way.
CUT_OFF = Verdict(outcome=Outcome.RETRYABLE, why="has a list that could not be read to its end in time")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One exchange, as an attempt will record it."""

    request: Request
    exchange: Exchange
    at: datetime
    milliseconds: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """How the sending of one delivery ended.

    Attributes:
        verdict: what it means; None: nothing was sent after all.
        sent: every exchange that was made.
        records: of a lookup, what the target listed.
    """

    verdict: Verdict | None
    sent: tuple[Sent, ...] = ()
    records: tuple[Any, ...] = ()

    @property
    def ended(self) -> datetime:
        """When its last exchange was over; for those that had one."""
        last = self.sent[-1]
        return last.at + timedelta(milliseconds=last.milliseconds)


class Sender:
    """Speaks to one target with its credential and limits, for the length of a run.

    It stops by itself, between two requests, when an answer asks for it or too many in a row failed: to settle them
    takes longer than a target that is down takes to refuse hundreds more.
    """

    def __init__(self, target: Target) -> None:
        self.client = Client(timeout=target.timeout, allow_private=target.allow_private)
        self._sign_in = SignIn(Credential.of(target), self.client)
        self._pool = ThreadPoolExecutor(target.concurrency, thread_name_prefix=f"send-{target.name}")
        self._stopped = threading.Event()
        self._failures = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._pool.shutdown()

    @property
    def lease_seconds(self) -> float:
        """How long a claim is held: long enough for a request that leaves late in it."""
        return max(float(settings.SYNC_LEASE_SECONDS), 3 * self.client.request_seconds)

    @property
    def is_stopped(self) -> bool:
        """Nothing leaves any more."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let nothing leave any more; what has left is waited for."""
        self._stopped.set()

    def deliver(self, action: Action, endpoint: Endpoint, request: Request, *, ends: float) -> "Future[Result]":
        """Send one create, update or delete, unless the lease (monotonic seconds) would end too soon."""
        return self._pool.submit(lambda: self._observe(self._deliver(action, endpoint, request, ends)))

    def look_up(self, endpoint: Endpoint, body: Payload, *, ends: float) -> "Future[Result]":
        """List the records that are like `body`."""
        return self._pool.submit(lambda: self._observe(self.list(endpoint, body, ends)))

    def hand_over(self, request: Request, *, ends: float) -> "Future[Result]":
        """Send a batch of changes to a peer."""
        return self._pool.submit(lambda: self._observe(self._hand_over(request, ends)))

    def _observe(self, result: Result) -> Result:
        if result.verdict is not None:
            with self._lock:
                self._failures = circuit.in_a_row(self._failures, result.verdict)
                if self._failures >= circuit.FAILURES or circuit.stops_all(result.verdict):
                    self.stop()
        return result

    def _deliver(self, action: Action, endpoint: Endpoint, request: Request, ends: float) -> Result:
        sent = self._exchange(request, ends)
        if sent is None:
            return Result(verdict=None)
        verdict = classify(action, sent.exchange, now=timezone.now(), id_field=endpoint.id_field)
        if self._is_secret(verdict.record.get(endpoint.id_field)):
            verdict = Verdict(outcome=Outcome.UNKNOWN, why="answered a create with our own secret as the record's id")
        return Result(verdict=verdict, sent=(sent,))

    def _hand_over(self, request: Request, ends: float) -> Result:
        sent = self._exchange(request, ends)
        if sent is None:
            return Result(verdict=None)
        verdict = classify(Action.PUSH, sent.exchange, now=timezone.now())
        if self._sign_in.mask.finds(sent.exchange.body.decode(errors="replace")):
            verdict = Verdict(outcome=Outcome.UNKNOWN, why="sent our own secret back")
        return Result(verdict=verdict, sent=(sent,))

    def list(self, endpoint: Endpoint, like: Payload | None = None, ends: float = float("inf")) -> Result:
        """All records that the target lists, page by page; with `like`, by the route's lookup."""
        sent: list[Sent] = []
        records: list[Any] = []
        cursor = None
        seen: set[str] = set()
        while True:
            try:
                one = self._exchange(endpoint.page(cursor, like), ends)
                if one is None:
                    return Result(verdict=CUT_OFF if sent else None, sent=tuple(sent))
                sent.append(one)
                verdict = classify(Action.LOOKUP, one.exchange, now=timezone.now())
                if verdict.outcome is not Outcome.DONE:
                    return Result(verdict=verdict, sent=tuple(sent))
                page, following = endpoint.records(read_json(one.exchange.body))
                self._refuse_secrets(endpoint, page, one.exchange, is_import=like is None)
            except (ListError, UnreadableError) as error:
                verdict = Verdict(outcome=Outcome.PERMANENT, why=self._sign_in.mask.hide(str(error)))
                return Result(verdict=verdict, sent=tuple(sent))
            records += page
            if not following:
                return Result(verdict=verdict, sent=tuple(sent), records=tuple(records))
            if following in seen:
                circle = Verdict(outcome=Outcome.PERMANENT, why="lists its pages in a circle")
                return Result(verdict=circle, sent=tuple(sent))
            seen.add(following)
            cursor = following

    def _refuse_secrets(self, endpoint: Endpoint, page: Sequence[Any], exchange: Exchange, *, is_import: bool) -> None:
        """Ids are stored, and of an import the records too.

        Raises:
            ListError: a secret of ours would be stored.
        """
        if is_import and self._sign_in.mask.finds(exchange.body.decode(errors="replace")):
            raise ListError("sent our own secret back in a list")
        if any(self._is_secret(record.get(endpoint.id_field)) for record in page if isinstance(record, dict)):
            raise ListError("listed a record with our own secret as its id")

    def _is_secret(self, remote_id: Any) -> bool:
        return isinstance(remote_id, str) and self._sign_in.mask.finds(remote_id)

    def _exchange(self, request: Request, ends: float) -> Sent | None:
        """Sign and send; once more with a fresh token where the first one was over. None: nothing was sent."""
        at, started = timezone.now(), time.monotonic()
        if self._must_not_send(ends):
            return None  # nor sign in
        try:
            headers = self._sign_in.headers()
            if self._must_not_send(ends):
                return None
            exchange = self._send(request, headers)
            if exchange.status == 401 and self._sign_in.can_renew:
                self._sign_in.forget(headers)
                headers = self._sign_in.headers()
                if self._must_not_send(ends):
                    return None
                exchange = self._send(request, headers)
        except SignInRefusedError as error:
            exchange = Exchange(silence=Silence.REFUSED_BY_US, why=str(error))
        except SignInBusyError as error:
            status, retry_after = error.status, error.retry_after
            exchange = Exchange(silence=Silence.NOT_SENT, why=str(error), status=status, retry_after=retry_after)
        except HttpError as error:
            kind = Silence.REFUSED_BY_US if isinstance(error, Forbidden) else Silence.NOT_SENT
            exchange = Exchange(silence=kind, why=str(error))
        # The next page's address is the target's own words.
        kept = replace(request, url=self._sign_in.mask.hide(request.url))
        return Sent(request=kept, exchange=exchange, at=at, milliseconds=int((time.monotonic() - started) * 1000))

    def _must_not_send(self, ends: float) -> bool:
        return self._stopped.is_set() or ends - time.monotonic() <= self.client.request_seconds

    def _send(self, request: Request, headers: dict[str, str]) -> Exchange:
        signed = Request(
            method=request.method,
            url=request.url,
            query=request.query,
            body=request.body,
            headers={**request.headers, **headers},
        )
        try:
            answer = self.client.send(signed)
        except Lost as error:
            return Exchange(silence=Silence.LOST, why=str(error))
        retry_after = answer.headers.get("retry-after", "")
        told = self._sign_in.mask.beginning(answer.body, ANSWER_KEPT)
        return Exchange(status=answer.status, body=answer.body, told=told, retry_after=retry_after)
