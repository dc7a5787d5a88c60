"""Both ways in which requests are sent: one at a time by `requests`, and many at the same time by libcurl."""

from collections.abc import Iterator
from contextlib import contextmanager

from backoffice.kit.http import Answer, Client, HttpError, Request
from backoffice.kit.transfers import Transfers

TRANSPORTS = ("requests", "libcurl")


class OneAtATime(Transfers):
    """Sends as `Client` does, by libcurl."""

    def send(self, request: Request) -> Answer:
        results: list[Answer | HttpError] = []
        self.start(request, lambda came: results.append(came.result))
        while not results:
            self.wait(1)
        if isinstance(results[0], HttpError):
            raise results[0]
        return results[0]


@contextmanager
def sending(transport: str, *, timeout: float = 0.5) -> Iterator[Client | OneAtATime]:
    if transport == "requests":
        yield Client(timeout=timeout)
        return
    transfers = OneAtATime(timeout=timeout)
    try:
        yield transfers
    finally:
        transfers.close()
