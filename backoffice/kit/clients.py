"""The address of a request's client, and which proxies are believed to know it.

A proxy that is named in TRUSTED_PROXIES adds the address that it was called from at the end of `X-Forwarded-For`, and
says by `X-Forwarded-Proto` whether that call was encrypted; it may name the request in `X-Request-ID`. Anybody else can
write the same headers, so they count only where the connection itself comes from such a proxy, and the first only as
far back as trusted proxies lead.

Our web server drops headers whose names have underscores (`backoffice/web/environ.py`): WSGI can't tell
`X_Forwarded_For`, which a client sent, from `X-Forwarded-For`, which the proxy did.
"""

import ipaddress
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REQUEST_ID",
)
# RFC 6177: a client with one IPv6 address can use any other in the network of its first 64 bits.
IPV6_CLIENT = 64

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxyMiddleware:
    """Drop the headers of a proxy where none that is trusted sent them; comes before all that read them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_trusted(_address(request.META.get("REMOTE_ADDR", ""))):
            for name in FORWARDED:
                request.META.pop(name, None)
        return self.get_response(request)


def client_address(request: HttpRequest) -> str | None:
    """Return the IP address that limits are counted by; None if it is not known, as behind a Unix socket.

    For an IPv6 address it is the client's network.
    """
    address = _address(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    hops = forwarded.split(",") if forwarded else []
    while hops and _is_trusted(address):
        address = _address(hops.pop().strip())
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), IPV6_CLIENT), strict=False).network_address)
    return None if address is None else str(address)


@lru_cache(maxsize=1024)  # each request is asked for it
def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: Address | None) -> bool:
    return address is not None and any(address in network for network in settings.TRUSTED_PROXIES)
