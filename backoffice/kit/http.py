"""The house's one HTTP client: bounded in time and size, and particular about whom it speaks to.

It tells its caller the one thing that decides what happens next, whether the request can have arrived:

    HttpError
    ├── NotSent        it never left: refused, unreachable, no such host
    ├── Lost           it may have arrived: reset, time-out, broken or overlong answer
    └── Forbidden      the address or the certificate may not be trusted
"""

import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

ANSWER_MOST = 8 * 1024 * 1024  # bytes
CHUNK = 64 * 1024  # bytes
PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")  # RFC 6890: partly global, and no place for a service
# RFC 6052 (NAT64) and RFC 4291, section 2.5.5.1: the last 32 bits are an IPv4 address.
IPV4_LAST = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))


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
    """One request. `body` is sent as JSON; None sends no body."""

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

    Redirects are not followed, proxies and `.netrc` of the environment are not used, nothing is repeated.

    Args:
        timeout: seconds for connecting, and again for each wait for the answer; `request_seconds` bounds the whole.
        allow_private: addresses of this machine and of private networks may be spoken to. Link-local ones, where
            cloud metadata lives, never are.
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
                data=None if request.body is None else json.dumps(request.body),
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
            # The library's own text would hold the header, and so the secret.
            raise NotSent("was not asked: a header holds what no header can carry") from error
        except requests.exceptions.ConnectTimeout as error:
            raise NotSent(f"did not take the connection within {self.timeout:g} s", slow=True) from error
        except requests.exceptions.Timeout as error:
            raise Lost(f"did not answer within {self.timeout:g} s", slow=True) from error
        except requests.exceptions.ConnectionError as error:
            raise _connection_error(error) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Lost(f"sent a broken answer ({_reason(error)})") from error
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
            session = self._local.session = requests.Session()
            session.trust_env = False
            session.headers["Accept"] = "application/json"
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter(self))
        return session


def _connection_error(error: requests.exceptions.ConnectionError) -> HttpError:
    cause = error.args[0] if error.args else error
    refusal = getattr(cause, "reason", cause)
    if isinstance(refusal, NewConnectionError):
        refused = isinstance(refusal.__cause__, ConnectionRefusedError)
        return NotSent("refused the connection" if refused else f"can't be reached ({_reason(refusal)})")
    return Lost("closed the connection before it answered")


def _reason(error: BaseException) -> str:
    """The innermost cause, in its own words: the wrappers' texts hold object addresses."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__


def check_peer(peer: str, *, allow_private: bool) -> None:
    """Refuse an IP address that must not be spoken to.

    It is the address that was connected to: a host name can be made to mean another one between check and use.
    An IPv6 address that carries an IPv4 one is judged by both.

    Raises:
        Forbidden: it is link-local, multicast or unspecified, or private and `allow_private` is off.
    """
    address = ipaddress.ip_address(peer.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    judged = [address, *_carried(address)]
    if any(one.is_link_local or one.is_multicast or one.is_unspecified for one in judged):
        raise Forbidden(f"is at {address}, an address that is never spoken to")
    if not allow_private and any(not one.is_global or one in PROTOCOLS for one in judged):
        raise Forbidden(f"is at {address}, a private address; allow private addresses if that is meant")


def _carried(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 one leads to on its way through a translator or a tunnel."""
    if isinstance(address, ipaddress.IPv4Address) or int(address) < 2:  # `::` and `::1` are themselves
        return []
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    found = [last] if any(address in network for network in IPV4_LAST) else []
    return [*found, *filter(None, [address.sixtofour]), *(address.teredo or ())]


class _Watch:
    """Ends a connection when the time for its request is over, whatever the other side does.

    The library's time-outs bound each wait, not the whole: a server that sends a byte a second would never be too slow.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._connection: Any = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def begins(self, connection: Any) -> None:
        """The request is about to leave by this connection."""
        if self.is_over:
            raise NotSent("did not take the connection in time", slow=True)
        self._connection = connection

    def _end(self) -> None:
        self.is_over = True
        opened = getattr(self._connection, "sock", None)
        if opened is not None:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


def _checked(connection: Any, client: Client) -> Any:
    """A connection class of urllib3 for `client`: particular about whom it speaks to, and under its watch."""

    class Checked(connection):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            opened: socket.socket = super()._new_conn()
            try:
                check_peer(opened.getpeername()[0], allow_private=client.allow_private)
            except Forbidden:
                opened.close()
                raise
            return opened

        def connect(self) -> None:
            try:
                super().connect()
            except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
                raise Forbidden(f"has a certificate that can't be trusted ({_reason(error)})") from error

        def request(self, *args: Any, **options: Any) -> None:
            client.watch.begins(self)
            super().request(*args, **options)

    return Checked


class _Adapter(HTTPAdapter):
    def __init__(self, client: Client) -> None:
        super().__init__(max_retries=0)
        kinds = {"http": (HTTPConnectionPool, HTTPConnection), "https": (HTTPSConnectionPool, HTTPSConnection)}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type("Pool", (pool,), {"ConnectionCls": _checked(connection, client)})
            for scheme, (pool, connection) in kinds.items()
        }
