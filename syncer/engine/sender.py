"""Sending: make requests in threads that touch no database, and return results for `settling.py` to write."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.utils import timezone

from backoffice.kit.http import Client, ForbiddenError, HttpError, LostError, Request
from backoffice.kit.masking import Mask
from syncer.core import circuit
from syncer.core.outcome import ANSWER_KEPT, Exchange, Outcome, Silence, Verdict
from syncer.engine.signin import SignIn, SignInBusyError, SignInRefusedError
from syncer.models import Target
from syncer.models.request_defaults import query_text


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


class Sender:
    """Sends to one target with its credential and limits, for the length of a run.

    It stops automatically, between two requests, when an answer asks for it or too many failed in a row: a target that
    is down refuses hundreds of requests in the time in which those failures are settled.
    """

    def __init__(self, target: Target) -> None:
        self.client = Client(timeout=target.timeout, allow_private=target.allow_private)
        self._headers = target.headers
        self._query = {name: query_text(value) for name, value in target.query.items()}
        self._sign_in = SignIn(target, self.client)
        self.concurrency = target.concurrency
        self._pool = ThreadPoolExecutor(target.concurrency, thread_name_prefix=f"send-{target.name}")
        self._stopped = threading.Event()
        self._failures = 0
        self._forbidden: dict[int | None, bool] = {}  # {delivery: is a delete}, those refused since the last success
        self._plausible: set[object] = set()  # the shapes of answers that show no record and were confirmed
        self.has_succeeded = False  # whether the target has carried out a request of this run
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._pool.shutdown()

    @property
    def lease_seconds(self) -> float:
        """The length of a claim: enough for a request that is sent late in it."""
        return max(float(settings.SYNC_LEASE_SECONDS), 3 * self.client.request_seconds)

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Send no further request. Those in flight are waited for on exit."""
        self._stopped.set()

    def submit(
        self, work: Callable[[], SendResult], *, about: int | None = None, is_delete: bool = False
    ) -> Future[SendResult]:
        """Do `work` in one of the target's threads; its verdict may stop the sender.

        Args:
            about: the binding that is delivered: refusals of different ones in a row are the target's.
            is_delete: all refused deletes together count as one: a credential may change records and not delete them.
        """
        return self._pool.submit(lambda: self._observe(work(), about, is_delete=is_delete))

    def _observe(self, result: SendResult, about: int | None, *, is_delete: bool) -> SendResult:
        verdict = result.verdict
        if verdict is None:
            return result
        with self._lock:
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

    def exchange(self, request: Request, ends: float) -> Sent | None:
        """Sign and send a request, and once more with a fresh token if the first one had expired.

        Return None if nothing was sent: the sender has stopped, or the lease, which `ends` at a time of the monotonic
        clock, ends too soon.
        """
        at, started = timezone.now(), time.monotonic()
        if self._must_not_send(ends):
            return None  # before the sign-in, which is a request too
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
            waits = {"retry-after": error.retry_after}
            exchange = Exchange(silence=Silence.NOT_SENT, why=str(error), status=error.status, headers=waits)
        except HttpError as error:
            kind = Silence.REFUSED_BY_US if isinstance(error, ForbiddenError) else Silence.NOT_SENT
            exchange = Exchange(silence=kind, why=str(error))
        # The address of a list's next page comes from the target, so it may hold a secret.
        masked = replace(request, url=self.mask.hide(request.url))
        return Sent(request=masked, exchange=exchange, at=at, milliseconds=int((time.monotonic() - started) * 1000))

    def sign_in(self) -> str:
        """Sign in, and return why that does not work; empty where it does, or is not needed."""
        try:
            self._sign_in.headers()
        except (SignInRefusedError, HttpError) as error:
            return str(error)
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
        return self._stopped.is_set() or ends - time.monotonic() <= self.client.request_seconds

    def _signed(self, request: Request, headers: dict[str, str]) -> Request:
        """Return a request with the target's defaults and the headers that sign it."""
        request = request.with_defaults(self._headers, self._query)
        return replace(request, headers={**request.headers, **headers})

    def _send(self, request: Request, headers: dict[str, str]) -> Exchange:
        try:
            answer = self.client.send(self._signed(request, headers))
        except LostError as error:
            return Exchange(silence=Silence.LOST, why=str(error))
        excerpt = self.mask.beginning(answer.body, ANSWER_KEPT)
        return Exchange(status=answer.status, body=answer.body, excerpt=excerpt, headers=answer.headers)
