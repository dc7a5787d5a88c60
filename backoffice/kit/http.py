"""The one HTTP client: bounded in time and size, and limited to allowed addresses.

Its errors say whether a request can have arrived; see `connections`.
"""

import http.client
import http.cookiejar
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self, cast
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import DecodeError, IncompleteRead, InvalidChunkLength

from backoffice.kit.connections import (
    BAD_CHUNKS,
    BAD_PACKING,
    BROKEN,
    CLOSED,
    CUT_SHORT,
    NOT_HTTP,
    UNUSABLE_ADDRESS,
    UNUSABLE_HEADER,
    Deadline,
    Deadlines,
    ForbiddenError,
    HttpError,
    LostError,
    NotSentError,
    checked,
    silent,
    too_long,
    unfinished,
)

__all__ = ["ANSWER_MOST", "Answer", "Client", "ForbiddenError", "HttpError", "LostError", "NotSentError", "Request"]

ANSWER_MOST = 8 * 1024 * 1024  # bytes, decompressed
CHUNK = 64 * 1024  # bytes


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request.

    Its `repr()`, which reaches logs and error pages, leaves out all that may be secret.

    Attributes:
        body: sent as JSON, bytes unchanged; None sends no body.
        fresh: True to send it on a new connection. A server may close a kept one just as the request is on its way
            (RFC 9112, section 9.3.1), and then it is not known whether the request arrived.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: object = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fresh: bool = False

    @property
    def content(self) -> bytes | None:
        """The bytes of the body; None where there is none."""
        return self.body if self.body is None or isinstance(self.body, bytes) else json.dumps(self.body).encode()

    def with_defaults(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Self:
        """Return the request with those of the headers and parameters that it does not have itself.

        A `Content-Type` is left out where there is no body.
        """
        if not (headers or query):
            return self
        own = {name.lower() for name in self.headers} | ({"content-type"} if self.body is None else set())
        asked = {*self.query, *dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))}
        return replace(
            self,
            headers={**self.headers, **{name: value for name, value in headers.items() if name.lower() not in own}},
            query={**self.query, **{name: value for name, value in query.items() if name not in asked}},
        )


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Client:
    """Sends requests, from any number of threads; each thread keeps its connections open.

    Redirects are not followed, cookies not kept, proxies and `.netrc` of the environment not used. Nothing is retried
    but a GET whose kept connection the server has closed, as it may at any time (RFC 9112, section 9.3.1).

    Args:
        timeout: seconds for connecting, and again for each wait for the answer; `request_seconds` bounds the whole.
    """

    def __init__(self, *, timeout: float) -> None:
        self.timeout = timeout
        self._local = threading.local()
        self._deadlines = Deadlines()

    @property
    def request_seconds(self) -> float:
        """The seconds after which every request has ended, whatever the other side does."""
        return 2 * self.timeout

    def send(self, request: Request) -> Answer:
        """Send one request and read its answer, whatever its status.

        Raises:
            NotSentError, LostError, ForbiddenError: as their names say.
        """
        with Deadline(self.request_seconds, self._deadlines) as deadline:
            self._local.deadline = deadline
            cut = unfinished(self.request_seconds)
            try:
                try:
                    answer = self._exchange(request)
                except LostError as error:
                    if request.method != "GET" or deadline.is_connected or str(error) != CLOSED:
                        raise
                    answer = self._exchange(replace(request, fresh=True))
            except LostError:
                if deadline.is_over:
                    raise cut from None
                raise
            if deadline.is_over:
                # Headers that were cut short are parsed as if they were complete.
                raise cut
            return answer

    def _exchange(self, request: Request) -> Answer:
        """Send the request and read the whole answer, with the libraries' errors translated to ours."""
        prepared = self._prepared(request)
        if request.fresh:
            self._session.close()  # this thread's kept connections; it opens new ones
        try:
            with self._session.send(prepared, timeout=self.timeout, allow_redirects=False, stream=True) as response:
                body = self._read(response)
        except UNUSABLE as error:
            raise NotSentError(UNUSABLE_ADDRESS) from error
        except requests.exceptions.Timeout as error:
            raise silent(self.timeout) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise LostError(_broken(error)) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=body)

    def _prepared(self, request: Request) -> requests.PreparedRequest:
        typed = {} if request.body is None else {"Content-Type": "application/json"}
        try:
            return self._session.prepare_request(
                requests.Request(
                    request.method,
                    request.url,
                    params=dict(request.query),
                    data=request.content,
                    headers={**typed, **request.headers},
                )
            )
        except requests.exceptions.InvalidHeader:
            # Without its cause, whose text holds the header.
            raise NotSentError(UNUSABLE_HEADER) from None
        except (*UNUSABLE, UnicodeError) as error:  # the latter: an unpaired surrogate
            raise NotSentError(UNUSABLE_ADDRESS) from error

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > ANSWER_MOST:
                raise too_long(ANSWER_MOST)
        return bytes(body)

    @property
    def deadline(self) -> Deadline:
        """The deadline of the request that this thread is sending."""
        return cast(Deadline, self._local.deadline)

    @property
    def _session(self) -> requests.Session:
        """This thread's session: `requests` does not promise that threads can share one."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _Session(self)
        return session


UNUSABLE = (  # raised before anything is sent
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)
FAULTS = {
    IncompleteRead: CUT_SHORT,
    InvalidChunkLength: BAD_CHUNKS,
    DecodeError: BAD_PACKING,
    OSError: CLOSED,
    http.client.HTTPException: NOT_HTTP,
}


def _broken(error: BaseException | None) -> str:
    """Return the predicate for the first error in the chain; the libraries wrap it several times."""
    predicate = BROKEN
    while error is not None:
        # Their own wrapper of a lost connection is an OSError too.
        if not isinstance(error, requests.exceptions.RequestException):
            predicate = next((words for kind, words in FAULTS.items() if isinstance(error, kind)), predicate)
        error = error.__cause__ or error.__context__
    return predicate


class _Session(requests.Session):
    """A session without the environment's settings and without cookies."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept"] = "application/json"
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(client))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: otherwise `requests` reads the whole body, however long, to prepare a request never sent."""


class _Adapter(HTTPAdapter):
    """An adapter whose connections are checked for `client`, and which never retries."""

    def __init__(self, client: Client) -> None:
        super().__init__(max_retries=0)
        kinds = {"http": (HTTPConnectionPool, HTTPConnection), "https": (HTTPSConnectionPool, HTTPSConnection)}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type("Pool", (pool,), {"ConnectionCls": checked(connection, client)})
            for scheme, (pool, connection) in kinds.items()
        }
