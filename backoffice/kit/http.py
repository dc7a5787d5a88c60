"""The house's one HTTP client: bounded in time and size, and particular about whom it speaks to.

It tells its caller the one thing that decides what happens next, whether the request can have arrived:

    HttpError
    ├── NotSent        it never left: refused, unreachable, no such host
    ├── Lost           it may have arrived: reset, time-out, broken or overlong answer
    └── Forbidden      the address or the certificate may not be trusted

What a message quotes is ours: a server could make it repeat the secret that it was sent.
"""

import http.client
import http.cookiejar
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import DecodeError, IncompleteRead, InvalidChunkLength

from backoffice.kit import addresses

ANSWER_MOST = 8 * 1024 * 1024  # bytes, as they are when decompressed
CHUNK = 64 * 1024  # bytes


class HttpError(Exception):
    """No complete answer came. The message is a predicate: it reads on from the name of who was asked.

    Attributes:
        slow: the time ran out.
    """

    def __init__(self, message: str, *, slow: bool = False) -> None:
        super().__init__(message)
        self.slow = slow


class NotSent(HttpError):
    """The request never left."""


class Lost(HttpError):
    """The request may have arrived, but its answer was lost."""


class Forbidden(HttpError):
    """We do not speak to this address."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request. `body` is sent as JSON, bytes as they are; None sends no body."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Sends requests, from any number of threads; each keeps its connections open.

    Redirects are not followed, cookies not kept, proxies and `.netrc` of the environment not used; nothing is repeated.

    Args:
        timeout: seconds for connecting, and again for each wait for the answer; `request_seconds` bounds the whole.
        allow_private: addresses of this machine and of private networks may be spoken to; see `addresses.refusal`.
    """

    def __init__(self, *, timeout: float, allow_private: bool) -> None:
        self.timeout = timeout
        self.allow_private = allow_private
        self._local = threading.local()

    @property
    def request_seconds(self) -> float:
        """After this time a request of ours has ended, whatever the other side does."""
        return 2 * self.timeout

    def send(self, request: Request) -> Answer:
        """Send one request and read its answer, whatever its status.

        Raises:
            NotSent, Lost, Forbidden: as their names say.
        """
        with _Watch(self.request_seconds) as watch:
            self._local.watch = watch
            cut = Lost(f"did not finish its answer within {self.request_seconds:g} s", slow=True)
            try:
                answer = self._exchange(request)
            except Lost:
                if watch.is_over:
                    raise cut from None
                raise
            if watch.is_over:
                # Headers that end too early pass for whole ones.
                raise cut
            return answer

    def _exchange(self, request: Request) -> Answer:
        try:
            response = self._session.request(
                request.method,
                request.url,
                params=dict(request.query),
                data=_encoded(request.body),
                headers={"Content-Type": "application/json", **request.headers}
                if request.body is not None
                else request.headers,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = self._read(response)
        except requests.exceptions.InvalidHeader as error:
            raise NotSent("was not asked: a header holds what no header can carry") from error
        except UNUSABLE as error:
            raise NotSent("was not asked: its address can't be used") from error
        except requests.exceptions.Timeout as error:
            raise Lost(f"did not answer within {self.timeout:g} s", slow=True) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Lost(_broken(error)) from error
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
        )

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > ANSWER_MOST:
                raise Lost(f"sent an answer of more than {ANSWER_MOST} bytes")
        return bytes(body)

    @property
    def watch(self) -> "_Watch":
        """Over the request that this thread is sending."""
        watch: _Watch = self._local.watch
        return watch

    @property
    def _session(self) -> requests.Session:
        """This thread's session: `requests` does not promise that one can be shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _Session(self)
        return session


def _encoded(body: Any) -> str | bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body)


UNUSABLE = (  # before anything leaves
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    UnicodeError,  # half a character
)
BROKEN = {
    IncompleteRead: "sent a broken answer (it ended too early)",
    InvalidChunkLength: "sent a broken answer (its chunks are not as announced)",
    DecodeError: "sent a broken answer (it is not compressed as announced)",
    OSError: "closed the connection before it answered",
    http.client.HTTPException: "sent a broken answer (its head is not HTTP, or too long)",
}


def _broken(error: BaseException | None) -> str:
    """The first thing that went wrong, in our words; the libraries wrap it several times."""
    found = "sent a broken answer"
    while error is not None:
        # Their own wrapper of a lost connection is an OSError too.
        if not isinstance(error, requests.exceptions.RequestException):
            found = next((words for kind, words in BROKEN.items() if isinstance(error, kind)), found)
        error = error.__cause__ or error.__context__
    return found


class _Watch:
    """Ends a connection when the time for its request is over, whatever the other side does.

    The library's time-outs bound each wait, not the whole: a server that sends a byte a second would never be too slow,
    and a host of many addresses that don't answer would be connected to when the time is long over.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._ends = time.monotonic() + seconds
        self._connection: Any = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def left(self) -> float:
        """Seconds.

        Raises:
            NotSent: there are none.
        """
        left = self._ends - time.monotonic()
        if left <= 0 or self.is_over:
            raise NotSent("did not take the connection in time", slow=True)
        return left

    def begins(self, connection: Any) -> None:
        """The request is about to leave by this connection."""
        self.left()
        self._connection = connection

    def _end(self) -> None:
        self.is_over = True
        opened = getattr(self._connection, "sock", None)
        if opened is not None:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


def _open(host: str, port: int, client: Client, options: Any) -> socket.socket:
    """A connection to the first address of `host` that may be spoken to and takes it.

    The name is looked up once, and what was judged is what is connected to: between check and use it could be made to
    mean another address. Those that may not be spoken to are not even knocked at.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent(f"can't be reached ({_reason(error)})") from error
    failure: HttpError | None = None
    for family, kind, protocol, _, address in found:
        if why := addresses.refusal(str(address[0]), allow_private=client.allow_private):
            failure = failure or Forbidden(why)
            continue
        opened = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                opened.setsockopt(*option)
            opened.settimeout(min(client.timeout, client.watch.left()))
            opened.connect(address)
        except OSError as error:
            opened.close()
            failure = _not_taken(error, client)
        except NotSent:
            opened.close()
            raise
        else:
            return opened
    raise failure or NotSent("can't be reached (its name has no address)")


def _not_taken(error: OSError, client: Client) -> NotSent:
    if isinstance(error, TimeoutError):
        return NotSent(f"did not take the connection within {client.timeout:g} s", slow=True)
    if isinstance(error, ConnectionRefusedError):
        return NotSent("refused the connection")
    return NotSent(f"can't be reached ({_reason(error)})")


def _reason(error: Exception) -> str:
    """In the words of this machine's system."""
    return getattr(error, "strerror", None) or type(error).__name__


class _Response(http.client.HTTPResponse):
    """Passes by interim answers, which may come before the final one (RFC 9110, section 15.2).

    Else the first would be taken for the answer, and the final one for that of the next request on this connection.
    """

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


def _checked(connection: Any, client: Client) -> Any:
    """A connection class of urllib3 for `client`: particular about whom it speaks to, and under its watch."""

    class Checked(connection):  # type: ignore[misc]
        response_class = _Response

        def _new_conn(self) -> socket.socket:
            return _open(self._dns_host.strip("[]"), self.port, client, self.socket_options)

        def connect(self) -> None:
            """Whatever goes wrong in here, the request has not left."""
            try:
                super().connect()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError) as error:
                raise NotSent("ended the connection before the encryption was agreed on") from error
            except TimeoutError as error:
                raise _not_taken(error, client) from error
            except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
                raise Forbidden(_untrusted(error)) from error
            client.watch.begins(self)

        def request(self, *args: Any, **options: Any) -> None:
            client.watch.begins(self)
            super().request(*args, **options)

    return Checked


def _untrusted(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that can't be trusted ({error.verify_message})"
    return f"does not encrypt as it must ({getattr(error, 'reason', None) or type(error).__name__})"


class _Session(requests.Session):
    def __init__(self, client: Client) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept"] = "application/json"
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(client))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, never: else the whole body is read, however long, to prepare a request that nobody sends."""


class _Adapter(HTTPAdapter):
    def __init__(self, client: Client) -> None:
        super().__init__(max_retries=0)
        kinds = {"http": (HTTPConnectionPool, HTTPConnection), "https": (HTTPSConnectionPool, HTTPSConnection)}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type("Pool", (pool,), {"ConnectionCls": _checked(connection, client)})
            for scheme, (pool, connection) in kinds.items()
        }
