"""Connections to allowed addresses only, which end when the deadline of their request has passed.

Their errors differ by the one fact that decides what happens next: whether the request can have arrived.

    HttpError
    ├── NotSentError        it was never sent: refused, unreachable, no such host
    ├── LostError           it may have arrived: reset, time-out, broken or overlong answer
    └── ForbiddenError      the address or the certificate may not be trusted

Messages quote only our own words: a server could repeat a secret that it was sent.
"""

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any, Protocol, Self

import urllib3
from django.conf import settings

from backoffice.kit import addresses
from backoffice.kit.phrases import message_of, phrase


class HttpError(Exception):
    """No complete answer came. The message is a predicate that continues the server's name, a phrase."""

    def __init__(self, message: str, *, slow: bool = False) -> None:
        super().__init__(message)
        self.slow = slow  # whether a time-out or the deadline ended the request

    @property
    def why(self) -> str:
        """The message as the phrase that it is."""
        return message_of(self)


class NotSentError(HttpError):
    """The request was never sent."""


class LostError(HttpError):
    """The request may have arrived, but its answer was lost."""


class ForbiddenError(HttpError):
    """The address is not allowed, or its certificate is not trusted."""


# What both transports say of the same fault.
UNUSABLE_ADDRESS = phrase("was not asked: its address can't be used")
UNUSABLE_HEADER = phrase("was not asked: a header holds what no header can carry")
NOT_ENCRYPTED_YET = phrase("ended the connection before the encryption was agreed on")
BROKEN = phrase("sent a broken answer")
CUT_SHORT = phrase("sent a broken answer (it ended too early)")
BAD_CHUNKS = phrase("sent a broken answer (its chunks are not as announced)")
BAD_PACKING = phrase("sent a broken answer (it is not compressed as announced)")
NOT_HTTP = phrase("sent a broken answer (its head is not HTTP, or too long)")
CLOSED = phrase("closed the connection before it answered")


def silent(seconds: float) -> LostError:
    """Return the error of a request that nothing was heard of for so long."""
    return LostError(phrase("did not answer within %(seconds)s s", seconds=f"{seconds:g}"), slow=True)


def unfinished(seconds: float) -> LostError:
    """Return the error of an answer that was not complete in time."""
    return LostError(phrase("did not finish its answer within %(seconds)s s", seconds=f"{seconds:g}"), slow=True)


def too_long(most: int) -> LostError:
    """Return the error of an answer of more than `most` bytes."""
    return LostError(phrase("sent an answer of more than %(most)s bytes", most=most))


def untrusted(reason: str) -> ForbiddenError:
    """Return the error of a server whose certificate is not trusted, for a reason of the library's."""
    return ForbiddenError(phrase("has a certificate that can't be trusted (%(reason)s)", reason=reason))


def not_encrypted(reason: str) -> ForbiddenError:
    """Return the error of a server that answers a request for encryption with something else."""
    return ForbiddenError(phrase("does not encrypt as it must (%(reason)s)", reason=reason))


class Deadline:
    """The deadline of one request: its connection is ended after `seconds`, whatever the other side does.

    The library's time-outs bound each wait, not the whole: a server that sends a byte a second would never time out,
    and a host with many addresses that don't answer would still be tried long after the deadline.
    """

    def __init__(self, seconds: float, deadlines: "Deadlines") -> None:
        self.is_over = False
        self.is_connected = False  # a new connection was made for the request, not a kept one used
        self.ends = time.monotonic() + seconds
        self._deadlines = deadlines
        self._connection: object = None

    def __enter__(self) -> Self:
        self._deadlines.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._deadlines.remove(self)

    def left(self) -> float:
        """Return the seconds left.

        Raises:
            NotSentError: the deadline has passed.
        """
        left = self.ends - time.monotonic()
        if left <= 0 or self.is_over:
            raise NotSentError(phrase("did not take the connection in time"), slow=True)
        return left

    def guard(self, connection: object) -> None:
        """End this connection too when the time is over: the request is about to be sent on it."""
        self.left()
        self._connection = connection

    def end(self) -> None:
        self.is_over = True
        opened = getattr(self._connection, "sock", None)
        if opened is not None:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


class Deadlines:
    """One thread that ends the requests of a client whose deadline has passed; it lives while there are requests."""

    IDLE = 5.0  # seconds without a request after which the thread ends

    def __init__(self) -> None:
        self._open: set[Deadline] = set()
        self._changed = threading.Condition()
        self._looks_at = 0.0  # when the thread looks again; 0: there is none

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._open.add(deadline)
            if self._looks_at == 0:
                self._looks_at = deadline.ends
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            elif deadline.ends < self._looks_at:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        with self._changed:
            self._open.discard(deadline)

    def _run(self) -> None:
        with self._changed:
            idle_until = time.monotonic() + self.IDLE
            while self._open or time.monotonic() < idle_until:
                self._looks_at = min((deadline.ends for deadline in self._open), default=idle_until)
                self._changed.wait(max(0.0, self._looks_at - time.monotonic()))
                now = time.monotonic()
                if self._open:
                    idle_until = now + self.IDLE
                for deadline in [deadline for deadline in self._open if deadline.ends <= now]:
                    self._open.discard(deadline)
                    deadline.end()
            self._looks_at = 0.0


class ConnectionOwner(Protocol):
    """The client that connections are made for."""

    timeout: float  # seconds for connecting

    @property
    def deadline(self) -> Deadline:
        """The deadline of the request that this thread is sending."""


def _open(host: str, port: int, client: ConnectionOwner, options: Any) -> socket.socket:
    """Connect to the first address of `host` that is allowed and accepts the connection.

    The name is resolved once, and the very address that was checked is connected to: another lookup could give a
    different one. Forbidden addresses get no packet at all.

    Raises:
        ForbiddenError: no address of the host is allowed.
        NotSentError: no allowed address accepted the connection in time, or the name has no address.
    """
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unreachable(_reason(error)) from error
    failure: HttpError | None = None
    for family, kind, protocol, _, address in resolved:
        if reason := addresses.refusal(str(address[0]), settings.PRIVATE_NETWORKS):
            failure = failure or ForbiddenError(reason)
            continue
        seconds = min(client.timeout, client.deadline.left())
        opened = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                opened.setsockopt(*option)
            opened.settimeout(seconds)
            opened.connect(address)
        except OSError as error:
            opened.close()
            failure = not_taken(error, client.timeout)
        else:
            return opened
    raise failure or NotSentError(phrase("can't be reached (its name has no address)"))


def not_taken(error: OSError, timeout: float) -> NotSentError:
    """Return the error of a connection that could not be made within `timeout` seconds."""
    if isinstance(error, TimeoutError):
        return NotSentError(
            phrase("did not take the connection within %(seconds)s s", seconds=f"{timeout:g}"), slow=True
        )
    if isinstance(error, ConnectionRefusedError):
        return NotSentError(phrase("refused the connection"))
    return unreachable(_reason(error))


def unreachable(reason: str) -> NotSentError:
    """Return the error of a connection that could not be made, for a reason of the system's."""
    return NotSentError(phrase("can't be reached (%(reason)s)", reason=reason))


def _reason(error: Exception) -> str:
    """Return the operating system's text for the error, or the name of its class."""
    return getattr(error, "strerror", None) or type(error).__name__


class _Response(http.client.HTTPResponse):
    """Skips interim answers, which may precede the final one (RFC 9110, section 15.2).

    Otherwise the first would be taken for the answer, and the final one for that of the connection's next request.
    """

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


def checked(connection: Any, client: ConnectionOwner) -> Any:
    """Return a subclass of urllib3's `connection` that checks addresses and keeps to the deadlines of `client`."""

    class Checked(connection):  # type: ignore[misc]
        response_class = _Response

        def _new_conn(self) -> socket.socket:
            return _open(self._dns_host.strip("[]"), self.port, client, self.socket_options)

        def connect(self) -> None:
            """Connect; no error in here means that the request was sent.

            Raises:
                NotSentError, ForbiddenError: as their names say.
            """
            try:
                super().connect()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError) as error:
                raise NotSentError(NOT_ENCRYPTED_YET) from error
            except TimeoutError as error:
                raise not_taken(error, client.timeout) from error
            except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
                if isinstance(error, ssl.SSLCertVerificationError):
                    raise untrusted(error.verify_message) from error
                reason = getattr(error, "reason", None) or type(error).__name__
                raise not_encrypted(reason) from error
            client.deadline.guard(self)
            client.deadline.is_connected = True

        def request(self, *args: Any, **options: Any) -> None:
            client.deadline.guard(self)
            super().request(*args, **options)

    return Checked
