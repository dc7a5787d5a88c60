"""Asking another service while somebody waits for our answer: few tries, in bounded time, and errors that say which.

UpstreamError     a problem: its detail names the service and what became of the request
├── NotSetUpError      503: no address is set
├── FailedError        502: it refused, failed, or sent what can't be used
└── TooSlowError       504: it did not answer in time, or asks to wait for longer than we may
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any, NoReturn

import orjson

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.http import Answer, Client, HttpError, Request
from backoffice.kit.masking import Mask
from backoffice.kit.retry import backoff, retry_after

TRIES = 4


class UpstreamError(ProblemError):
    """The other service did not give what was asked for; nothing was changed here."""


class NotSetUpError(UpstreamError):
    def __init__(self, name: str, setting: str) -> None:
        super().__init__(503, f"{name} is not set up here: the setting {setting} is empty.")


class FailedError(UpstreamError):
    def __init__(self, detail: str) -> None:
        super().__init__(502, detail)


class TooSlowError(UpstreamError):
    def __init__(self, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(504, detail, headers=headers)


@cache
def client(timeout: float, allow_private: bool) -> Client:  # noqa: FBT001 - the cache's key
    """One client for each choice of settings: it keeps its connections open."""
    return Client(timeout=timeout, allow_private=allow_private)


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """A service that we ask.

    Attributes:
        name: as problems name it.
        client: sends one request, within `client.request_seconds`.
        total: seconds for all tries and the waits between them.
        first_wait: seconds at most after the first 429 or 5xx; then twice as many, with full jitter.
        most: bytes of an answer.
        secrets: what it is signed in to with; an answer that holds one is not taken, for what it holds is kept.
        wait: waits for so many seconds.
    """

    name: str
    client: Client
    total: float
    first_wait: float
    most: int
    secrets: tuple[str, ...] = field(default=(), repr=False)
    wait: Callable[[float], None] = time.sleep

    def ask(self, request: Request) -> Answer:
        """The answer to `request`, which is sent again after 429 and 5xx.

        No try begins so late that it could outlast `total`. A `Retry-After` is obeyed as far as that goes.

        Raises:
            FailedError: no answer, or 429 or 5xx to the last.
            TooSlowError: the time ran out, or would.
        """
        last_start = time.monotonic() + self.total - self.client.request_seconds
        for tries in count(1):
            answer = self._send(request)
            if answer.status != 429 and answer.status < 500:
                break
            asked = retry_after(answer.headers.get("retry-after", ""), datetime.now(UTC))
            wait = asked or backoff(tries, random.random(), first=self.first_wait, least=0.0)  # noqa: S311 - no secret
            is_late = time.monotonic() + wait > last_start
            if is_late and asked:
                self._give_up(answer, asked)
            if is_late or tries == TRIES:
                self.refuse(answer)
            self.wait(wait)
        return answer

    def json(self, answer: Answer) -> Any:
        """What a success holds.

        Raises:
            FailedError: it is no success, too large, not JSON, or holds a secret of ours.
        """
        if not 200 <= answer.status < 300:
            self.refuse(answer)
        if len(answer.body) > self.most:
            raise FailedError(f"{self.name} sent an answer of more than {self.most} bytes.")
        if Mask(self.secrets).finds(answer.body.decode(errors="replace")):
            raise FailedError(f"{self.name} sent our own secret back; nothing of its answer was kept.")
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            raise FailedError(f"{self.name} sent an answer that is not JSON.") from error

    def refuse(self, answer: Answer) -> NoReturn:
        """Raise for an answer that is an error.

        Raises:
            FailedError: with the status of `answer`, not its text, which may hold what we sent.
        """
        raise FailedError(f"{self.name} answered {answer.status}.")

    def _give_up(self, answer: Answer, asked: float) -> NoReturn:
        seconds = f"{asked:.0f}"
        detail = f"{self.name} answered {answer.status} and asks to wait {seconds} s, longer than a request may."
        raise TooSlowError(detail, {"Retry-After": seconds})

    def _send(self, request: Request) -> Answer:
        try:
            return self.client.send(request)
        except HttpError as error:
            kind = TooSlowError if error.slow else FailedError
            raise kind(f"{self.name} {error}.") from error
