"""From where a request comes."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# RFC 6177: whoever has an IPv6 address has at least the network of its first 64 bits to choose others from.
IPV6_CLIENT = 64


def client_address(request: HttpRequest) -> str | None:
    """The IP address that limits count by; None: it is not known, as behind a Unix socket.

    Behind a proxy it is the last one of `X-Forwarded-For`, which our proxy added; what stands before it was written by
    anybody. Without a proxy the header is not looked at. Of an IPv6 address it is the client's network.
    """
    given = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        given = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or given
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), IPV6_CLIENT), strict=False).network_address)
