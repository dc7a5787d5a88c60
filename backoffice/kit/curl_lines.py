"""How a request is written for libcurl, and what its lines say of an answer."""

import re
from urllib.parse import urlencode

import requests

from backoffice.kit.connections import UNUSABLE_ADDRESS, UNUSABLE_HEADER
from backoffice.kit.http import Request

# Such an address is sent as it is; for any other, `requests` finds the spelling, which takes longer than the request.
PLAIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?")
HEADER_NAME = re.compile(r"[^:\s][^:\r\n]*")
HEADER_VALUE = re.compile(r"(\S[^\r\n]*)?")


class UnusableError(ValueError):
    """The request can't be written. The message is a predicate that continues the server's name."""


def url_of(request: Request) -> str:
    """Return the whole address, spelled as `requests` does.

    Raises:
        UnusableError: it is not one.
    """
    if PLAIN.fullmatch(request.url):
        return f"{request.url}?{urlencode(request.query)}" if request.query else request.url
    try:
        return str(requests.Request("GET", request.url, params=dict(request.query)).prepare().url)
    except (requests.exceptions.RequestException, UnicodeError) as error:  # the latter: an unpaired surrogate
        raise UnusableError(UNUSABLE_ADDRESS) from error


def header_lines(request: Request) -> list[bytes]:
    """Return the headers as libcurl takes them.

    Raises:
        UnusableError: one of them can't be written.
    """
    usual = {"Accept": "application/json", "User-Agent": "backoffice"}
    if request.body is not None:
        usual["Content-Type"] = "application/json"
    own = {name.lower() for name in request.headers}
    headers = {name: value for name, value in usual.items() if name.lower() not in own} | dict(request.headers)
    return [_line(name, value) for name, value in headers.items()]


def _line(name: str, value: str) -> bytes:
    """Return a header: with `;` for `:` where it is empty."""
    try:
        if not (HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(value)):
            raise UnusableError(UNUSABLE_HEADER)
        return f"{name}: {value}".encode("latin-1") if value else f"{name};".encode("latin-1")
    except UnicodeEncodeError:
        # Without its cause, whose text holds the header.
        raise UnusableError(UNUSABLE_HEADER) from None


def headers_of(lines: list[bytes]) -> dict[str, str]:
    """Return the headers with lower-case names; those of the same name are joined (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            name = name.strip().lower()
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    return headers
