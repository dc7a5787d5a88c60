"""What the web server makes of bytes that are no HTTP, or HTTP that two servers would read differently."""

import socket
from contextlib import closing
from dataclasses import dataclass

import pytest
import requests

from tests.backoffice.web.test_server import port  # noqa: F401 - the fixture
from tests.hostile.cases import HARMLESS, REFUSED, table


@dataclass(frozen=True)
class Bytes:
    """`statuses` are those that the answer may have; 0: the connection is closed without one."""

    data: bytes
    statuses: tuple[int, ...] = (400,)

    @property
    def outcome(self) -> str:
        return REFUSED if min(self.statuses) in (0, *range(400, 500)) else HARMLESS


def head(*lines: bytes, first: bytes = b"GET /nowhere/ HTTP/1.1", rest: bytes = b"") -> bytes:
    return b"\r\n".join([first, b"Host: localhost", b"Connection: close", *lines, b"", rest])


def post(*lines: bytes, rest: bytes = b"") -> bytes:
    return head(*lines, first=b"POST /api/token/ HTTP/1.1", rest=rest)


CLOSED = (0, 400)
WIRE = {
    "nothing that is HTTP": Bytes(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(100), CLOSED),
    "zeros": Bytes(bytes(5000), CLOSED),
    "a version that is none": Bytes(head(first=b"GET / HTTP/9.9"), CLOSED),
    "no version": Bytes(b"GET /\r\n\r\n", CLOSED),
    "another service": Bytes(head(first=b"CONNECT example.com:443 HTTP/1.1"), (0, 400, 403, 404, 405)),
    "a method that is none": Bytes(head(first=b"G\0T / HTTP/1.1"), CLOSED),
    "a space in the address": Bytes(head(first=b"GET /a b HTTP/1.1"), CLOSED),
    "a null in the address": Bytes(head(first=b"GET /a\0b HTTP/1.1"), CLOSED),
    "an address of 100 KB": Bytes(head(first=b"GET /" + b"a" * 100_000 + b" HTTP/1.1"), (0, 400, 414, 431)),
    "another site's address": Bytes(head(first=b"GET http://evil.example/ HTTP/1.1"), (302, 400, 404)),
    "no host": Bytes(b"GET /nowhere/ HTTP/1.1\r\nConnection: close\r\n\r\n", CLOSED),
    "two hosts": Bytes(head(b"Host: evil.example"), CLOSED),
    "another host": Bytes(b"GET /nowhere/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
    "a header without a colon": Bytes(head(b"X"), CLOSED),
    "a header with a null": Bytes(head(b"X: a\0b"), CLOSED),
    "a space before the colon": Bytes(head(b"X : y"), CLOSED),
    "a header that goes on in the next line": Bytes(head(b"X: a\r\n b"), CLOSED),
    "a thousand headers": Bytes(head(*(b"X%d: y" % number for number in range(1000))), (0, 400, 431)),
    "a header of 100 KB": Bytes(head(b"X: " + b"y" * 100_000), (0, 400, 431)),
    "two lengths": Bytes(post(b"Content-Length: 1", b"Content-Length: 2", rest=b"ab"), CLOSED),
    "a length below zero": Bytes(post(b"Content-Length: -1"), CLOSED),
    "a length in words": Bytes(post(b"Content-Length: ten"), CLOSED),
    "a length of 20 digits": Bytes(post(b"Content-Length: " + b"9" * 20), (0, 400, 413)),
    "a length and parts": Bytes(
        post(b"Content-Length: 5", b"Transfer-Encoding: chunked", rest=b"0\r\n\r\nGET /admin/ HTTP/1.1\r\n\r\n"),
        (0, 400, 415, 422),
    ),
    "an encoding that is none": Bytes(post(b"Transfer-Encoding: xchunked", rest=b"0\r\n\r\n"), (0, 400, 501)),
    "parts in gzip": Bytes(post(b"Transfer-Encoding: gzip, chunked", rest=b"0\r\n\r\n"), (0, 400, 415, 422, 501)),
    "a part of no length": Bytes(post(b"Transfer-Encoding: chunked", rest=b"x\r\na\r\n"), (0, 400)),
    "a part of 20 digits": Bytes(post(b"Transfer-Encoding: chunked", rest=b"f" * 20 + b"\r\na"), (0, 400, 413)),
    "a name with an underscore": Bytes(head(b"X_Forwarded_For: 1.2.3.4"), (404,)),
}


@pytest.mark.parametrize("case", table("web server: bytes", WIRE))
def test_bytes_that_are_no_request_are_refused_and_others_are_answered(port, case):  # noqa: F811
    with closing(socket.create_connection(("localhost", port), timeout=20)) as one:
        one.sendall(case.data)
        answer = everything(one)
    status = int(answer.split()[1]) if answer else 0
    assert status in case.statuses, answer[:300]
    assert answer.count(b"HTTP/1.1 ") <= 1, "one request was taken for two"
    assert requests.get(f"http://localhost:{port}/health/live/", timeout=5).status_code == 200


def everything(one: socket.socket) -> bytes:
    """All that comes until the server closes, which it may do while we still send."""
    parts = []
    try:
        while part := one.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)
