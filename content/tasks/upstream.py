"""Call another service while a client waits for our response: few tries, in bounded time.

UpstreamError         a problem; its detail names the service and the outcome of the request
├── NotSetUpError     503: no address is set
├── FailedError       502: the service refused, failed, or sent an unusable answer
└── TooSlowError      504: the service did not answer in time, or asks for a longer wait than we have time for
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

import orjson

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.http import Answer, Client, HttpError, Request
from backoffice.kit.masking import Mask
from backoffice.kit.retry import backoff, retry_after

TRIES = 4


class UpstreamError(ProblemError):
    """The other service did not answer as needed; nothing was changed here."""


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
def client(timeout: float) -> Client:
    """Return the shared client with this time-out, which keeps its connections open."""
    return Client(timeout=timeout)


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """A service that we call.

    Attributes:
        name: the service's name in problems.
        total: the seconds for all tries and the waits between them.
        first_wait: the longest wait in seconds after the first 429 or 5xx; it doubles each time, with full jitter.
        most: the most bytes of an answer.
        secrets: our credentials for the service. Answers are kept, so an answer that holds one of them is refused.
        wait: the function that waits for a number of seconds.
    """

    name: str
    client: Client
    total: float
    first_wait: float
    most: int
    secrets: tuple[str, ...] = field(default=(), repr=False)
    wait: Callable[[float], None] = time.sleep

    def ask(self, request: Request) -> Answer:
        """Send a request, again after 429 and 5xx, and return the answer.

        No try begins so late that it could outlast `total`. A `Retry-After` is obeyed within that time.

        Raises:
            FailedError: there was no answer, or the last one was 429 or 5xx.
            TooSlowError: the service did not answer in time, or asks for a longer wait than there is time for.
        """
        last_start = time.monotonic() + self.total - self.client.request_seconds
        for tries in count(1):
            try:
                answer = self.client.send(request)
            except HttpError as error:
                kind = TooSlowError if error.slow else FailedError
                raise kind(f"{self.name} {error}.") from error
            if answer.status != 429 and answer.status < 500:
                break
            asked = retry_after(answer.headers.get("retry-after", ""), datetime.now(UTC))
            wait = asked or backoff(tries, random.random(), first=self.first_wait, least=0.0)  # noqa: S311 - no secret
            is_late = time.monotonic() + wait > last_start
            if is_late and asked:
                needs = f"asks to wait {asked:.0f} s, longer than a request may"
                raise TooSlowError(
                    f"{self.name} answered {answer.status} and {needs}.", {"Retry-After": f"{asked:.0f}"}
                )
            if is_late or tries == TRIES:
                raise FailedError(f"{self.name} answered {answer.status}.")
            self.wait(wait)
        return answer

    def json(self, answer: Answer) -> Any:
        """Return the JSON value of a successful answer.

        Raises:
            FailedError: the answer is not a success, is too large, is not JSON, or holds one of our secrets.
        """
        if not 200 <= answer.status < 300:  # the error has no text of the answer, which may quote what we sent
            raise FailedError(f"{self.name} answered {answer.status}.")
        if len(answer.body) > self.most:
            raise FailedError(f"{self.name} sent an answer of more than {self.most} bytes.")
        if Mask(self.secrets).finds(answer.body.decode(errors="replace")):
            raise FailedError(f"{self.name} sent our own secret back; nothing of its answer was kept.")
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            raise FailedError(f"{self.name} sent an answer that is not JSON.") from error
