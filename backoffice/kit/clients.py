"""The address of a request's client."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# RFC 6177: a client with one IPv6 address can use any other in the network of its first 64 bits.
IPV6_CLIENT = 64


def client_address(request: HttpRequest) -> str | None:
    """Return the IP address that limits are counted by; None if it is not known, as behind a Unix socket.

    Behind a proxy it is the last entry of `X-Forwarded-For`, which our proxy added; anybody could have written those
    before it. Without a proxy the header is ignored. For an IPv6 address it is the client's network.
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
