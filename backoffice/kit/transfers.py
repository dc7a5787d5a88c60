"""Many requests at the same time, sent from one thread by libcurl.

A `Client` needs a thread for each request that waits. Here one thread waits for all of them, at a fraction of the cost
of each. What `Client` promises holds here too: allowed addresses only, bounded time and size, and nothing is sent twice
but a GET whose kept connection the server has closed.
"""

import errno
import io
import os
import re
import socket
import time
from collections.abc import Callable
from datetime import datetime
from math import inf
from typing import Any, NamedTuple

import certifi
import pycurl
from django.conf import settings
from django.utils import timezone

from backoffice.kit import addresses
from backoffice.kit.connections import (
    BAD_CHUNKS,
    BAD_PACKING,
    BROKEN,
    CLOSED,
    CUT_SHORT,
    NOT_ENCRYPTED_YET,
    NOT_HTTP,
    UNUSABLE_ADDRESS,
    ForbiddenError,
    HttpError,
    LostError,
    NotSentError,
    not_encrypted,
    not_taken,
    silent,
    too_long,
    unfinished,
    untrusted,
)
from backoffice.kit.curl_lines import UnusableError, header_lines, headers_of, url_of
from backoffice.kit.http import ANSWER_MOST, Answer, Request
from backoffice.kit.phrases import message_of, phrase


class Completion(NamedTuple):
    """What came of a request, when it left (or was to leave), and the seconds from then to the end of the answer."""

    result: Answer | HttpError
    left_at: datetime
    seconds: float


Done = Callable[[Completion], None]

NO_SOCKET = 0.01  # seconds between two looks while there is no socket to wait for, as when a name is looked up
CLOSING = ("unexpected eof", "SSL_ERROR_SYSCALL", "reset", "zero return")  # how OpenSSL says that a connection ended
FAULTS = {  # of an answer
    pycurl.E_PARTIAL_FILE: CUT_SHORT,
    pycurl.E_BAD_CONTENT_ENCODING: BAD_PACKING,
    pycurl.E_UNSUPPORTED_PROTOCOL: NOT_HTTP,
    pycurl.E_FTP_WEIRD_SERVER_REPLY: NOT_HTTP,
    pycurl.E_GOT_NOTHING: CLOSED,
    pycurl.E_SEND_ERROR: CLOSED,
    pycurl.E_SEND_FAIL_REWIND: CLOSED,
    pycurl.E_ABORTED_BY_CALLBACK: CLOSED,
}


class Transfers:
    """Sends requests, and calls back with what came of each. To be used by one thread.

    Args:
        timeout: seconds for connecting, and again for each wait for the answer; `request_seconds` bounds the whole.
    """

    def __init__(self, *, timeout: float) -> None:
        self.timeout = timeout
        self._multi = pycurl.CurlMulti()
        self._idle: list[_Transfer] = []
        self._running: dict[Any, _Transfer] = {}
        self._none_is_due_until = inf  # monotonic seconds; what is heard meanwhile only puts it off

    def __len__(self) -> int:
        """The number of requests under way."""
        return len(self._running)

    @property
    def request_seconds(self) -> float:
        """The seconds after which every request has ended, whatever the other side does."""
        return 2 * self.timeout

    def start(self, request: Request, done: Done) -> None:
        """Send a request; while `wait` is called, its answer is read, or a NotSent-, Lost- or ForbiddenError made."""
        transfer = self._idle.pop() if self._idle else _Transfer(self)
        if refused := transfer.prepare(request, done):
            self._idle.append(transfer)
            done(Completion(refused, timezone.now(), 0.0))
        else:
            self._running[transfer.curl] = transfer
            self._none_is_due_until = min(self._none_is_due_until, transfer.earliest(transfer.began))
            self._multi.add_handle(transfer.curl)

    def wait(self, seconds: float) -> None:
        """Send and read until a request has ended, for at most so many seconds."""
        ends = time.monotonic() + seconds
        while self._running:
            now = time.monotonic()  # before reading: what has come by now counts, however long this process stood still
            self._multi.perform()
            if self._end_complete() or self._end_late(now) or now >= ends:
                return
            pause = max(0.0, min(ends, self._none_is_due_until) - now)
            within = self._multi.timeout()
            pause = pause if within < 0 else min(pause, within / 1000)
            if self._multi.select(pause) < 0:
                time.sleep(min(pause, NO_SOCKET))

    def close(self) -> None:
        """End all requests that are under way, without a call, and close the connections."""
        for transfer in self._running.values():
            self._multi.remove_handle(transfer.curl)
        for transfer in (*self._running.values(), *self._idle):
            transfer.close()
        self._multi.close()

    def _end_complete(self) -> bool:
        """End the requests that libcurl has ended; return whether there were any."""
        has_ended, left = False, 1
        while left:
            left, complete, failed = self._multi.info_read()
            for curl in complete:
                self._end(self._running[curl], pycurl.E_OK, "")
            for curl, code, message in failed:
                self._end(self._running[curl], code, message)
            has_ended |= bool(complete or failed)
        return has_ended

    def _end_late(self, now: float) -> bool:
        """End the requests whose time is over; return whether there were any."""
        if now < self._none_is_due_until:
            return False
        late = [transfer for transfer in self._running.values() if transfer.due <= now]
        for transfer in late:
            self._end(transfer, pycurl.E_OPERATION_TIMEDOUT, "")
        self._none_is_due_until = min((transfer.earliest(now) for transfer in self._running.values()), default=inf)
        return bool(late)

    def _end(self, transfer: "_Transfer", code: int, message: str) -> None:
        self._multi.remove_handle(transfer.curl)
        del self._running[transfer.curl]
        completion = Completion(transfer.result(code, message), transfer.left_at, time.monotonic() - transfer.left)
        done = transfer.done
        transfer.clear()
        self._idle.append(transfer)
        done(completion)


class _Transfer:
    """A handle of libcurl, and what it knows of the request that it is used for; one request after the other."""

    def __init__(self, transfers: Transfers) -> None:
        self.transfers = transfers
        self.curl = pycurl.Curl()
        for option, value in {
            pycurl.NOSIGNAL: 1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PATH_AS_IS: 1,
            pycurl.PROXY: "",  # nor those that the environment names
            pycurl.ACCEPT_ENCODING: "",  # all that libcurl can read
            pycurl.CAINFO: certifi.where(),
            pycurl.CONNECTTIMEOUT_MS: int(transfers.timeout * 1000),
            pycurl.OPENSOCKETFUNCTION: self._open,
            pycurl.PREREQFUNCTION: self._may_send,
            pycurl.HEADERFUNCTION: self._read_header,
            pycurl.WRITEFUNCTION: self._read_body,
        }.items():
            self.curl.setopt(option, value)
        self._sockets: list[socket.socket] = []
        self.clear()

    def clear(self) -> None:
        """Forget the request and its answer."""
        for opened in self._sockets:
            opened.close()  # libcurl has a descriptor of its own
        self._sockets.clear()
        self.done: Done = lambda _: None
        self.refusal = ""  # why an address of the host may not be connected to
        self.sends = 0  # how many times the request left
        self.head: list[bytes] = []  # the lines of the latest answer's head
        self.body = bytearray()

    def close(self) -> None:
        self.clear()
        self.curl.close()

    def prepare(self, request: Request, done: Done) -> HttpError | None:
        """Set the handle to a request; return why it can't be sent, None if it can."""
        try:
            lines = header_lines(request)
            self.curl.setopt(pycurl.URL, url_of(request))
        except UnusableError as error:
            return NotSentError(message_of(error))
        content = request.content
        lines.append(b"Expect:")  # libcurl would ask first whether it may send a large body
        self.curl.setopt(pycurl.HTTPHEADER, lines)
        self.curl.setopt(pycurl.UPLOAD, 0 if content is None else 1)
        self.curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        self.curl.setopt(pycurl.FRESH_CONNECT, int(request.fresh))
        if content is not None:
            self.curl.setopt(pycurl.READDATA, io.BytesIO(content))
            self.curl.setopt(pycurl.INFILESIZE, len(content))
        self.done, self.is_get = done, request.method == "GET"
        self.began = self.heard = self.left = time.monotonic()
        self.left_at = timezone.now()
        return None

    @property
    def due(self) -> float:
        """When the request ends unless something is heard, in monotonic seconds."""
        timeout = self.transfers.timeout
        # libcurl itself bounds the time for one connection.
        return min(self.began + 2 * timeout, self.heard + timeout if self.sends else self.began + 2 * timeout)

    def earliest(self, now: float) -> float:
        """Return the earliest `due` that it can have from now on: once a request has left, another wait begins."""
        return self.due if self.sends else min(self.due, now + self.transfers.timeout)

    def result(self, code: int, message: str) -> Answer | HttpError:
        """Return the answer, or the error that libcurl's code stands for (its man page libcurl-errors)."""
        if code == pycurl.E_OK:
            status = self.curl.getinfo(pycurl.RESPONSE_CODE)
            return Answer(status=status, headers=headers_of(self.head), body=bytes(self.body))
        return self._lost(code, message) if self.sends else self._not_sent(code, message)

    def _not_sent(self, code: int, message: str) -> HttpError:
        if code in (pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL):
            return NotSentError(UNUSABLE_ADDRESS)
        if code == pycurl.E_COULDNT_RESOLVE_HOST:
            return NotSentError(phrase("can't be reached (its name was not found)"))
        if code == pycurl.E_PEER_FAILED_VERIFICATION:
            found = re.search(r"verify result: (.+?)( \(\d+\))?$", message)
            return untrusted(found[1] if found else "it is for another name")
        if code == pycurl.E_SSL_CONNECT_ERROR:
            is_closed = any(words in message for words in CLOSING)
            return NotSentError(NOT_ENCRYPTED_YET) if is_closed else not_encrypted("no TLS")
        if self.refusal and not self._sockets:
            return ForbiddenError(self.refusal)
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return not_taken(TimeoutError(), self.transfers.timeout)
        number = self.curl.getinfo(pycurl.OS_ERRNO) or errno.ECONNRESET
        return not_taken(OSError(number, os.strerror(number)), self.transfers.timeout)

    def _lost(self, code: int, message: str) -> LostError:
        if len(self.body) > ANSWER_MOST:
            return too_long(ANSWER_MOST)
        if code == pycurl.E_OPERATION_TIMEDOUT:
            is_whole = time.monotonic() >= self.began + self.transfers.request_seconds
            return unfinished(self.transfers.request_seconds) if is_whole else silent(self.transfers.timeout)
        if code == pycurl.E_RECV_ERROR:
            return LostError(BAD_CHUNKS if "chunk" in message else NOT_HTTP if "header" in message else CLOSED)
        return LostError(FAULTS.get(code, BROKEN))

    # --- libcurl calls these ----------------------------------------------------------------------------------------
    def _open(self, purpose: int, address: Any) -> Any:
        """Open a socket for an address of the host, if it is allowed: the very one that will be connected to."""
        refusal = addresses.refusal(str(address.addr[0]), settings.PRIVATE_NETWORKS)
        if refusal:
            self.refusal = refusal
            return pycurl.SOCKET_BAD
        self._sockets.append(socket.socket(address.family, address.socktype, address.protocol))
        return self._sockets[-1]

    def _may_send(self, *_: object) -> int:
        """Say that the request may leave: the connection is there. libcurl would repeat any that met a closed one."""
        if self.sends and not self.is_get:
            return pycurl.PREREQFUNC_ABORT
        self.sends += 1
        self.heard = self.left = time.monotonic()
        self.left_at = timezone.now()
        return pycurl.PREREQFUNC_OK

    def _read_header(self, line: bytes) -> None:
        self.heard = time.monotonic()
        if line.startswith(b"HTTP/") and not self.body:
            self.head.clear()  # of an interim answer (RFC 9110, section 15.2)
        if not (self.head and self.head[-1].isspace()):  # what follows the body are trailers
            self.head.append(line)

    def _read_body(self, part: bytes) -> int | None:
        self.heard = time.monotonic()
        self.body += part
        return 0 if len(self.body) > ANSWER_MOST else None
