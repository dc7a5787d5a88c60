"""Which addresses the program may speak to."""

import ipaddress
import re
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

# Where cloud metadata lives outside the link-local ranges; it gives the machine's own credentials to whoever asks.
METADATA = [
    ipaddress.ip_network(network)
    for network in (
        "fd00:ec2::/32",  # AWS
        "fd20:ce::/64",  # Google Cloud
        "fd00:42::/64",  # Scaleway
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure; in a public range
        "192.0.0.192",  # Oracle Cloud
    )
]
NOWHERE = [ipaddress.ip_network(network) for network in ("0.0.0.0/8", "240.0.0.0/4")]  # RFC 1122, 3.2.1.3; RFC 1112, 4
# RFC 6890 and RFC 7526: partly global, and no place for a service. RFC 9637: documentation.
UNUSUAL = [ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")]
GLOBAL = ipaddress.ip_network("2000::/3")  # RFC 4291, 2.4: all global unicast addresses that are given out
# RFC 6052 (NAT64), RFC 4291, 2.5.5.1 and RFC 2765, 2.1: the last 32 bits are an IPv4 address.
NAT64 = ipaddress.ip_network("64:ff9b::/96")
IPV4_LAST = (NAT64, ipaddress.ip_network("::/96"), ipaddress.ip_network("::ffff:0:0:0/96"))
# RFC 8215: a network's own translators. RFC 6052, 2.2: where in it the IPv4 address is, by the prefix's length.
LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
IPV4_PLACES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))  # bytes


def check_url(url: str) -> None:
    """Refuse what is not a plain http(s) address: other schemes, credentials, a query, a fragment.

    And an IP address that is never spoken to, however it is written; a name is judged when it is connected to.

    Raises:
        ValidationError: it says what to give instead.
    """
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        raise ValidationError("This is not an address.", code="address") from None
    # Readers of addresses differ in what they make of these: one could check another host than the next one asks.
    if re.search(r"[\\\s\0-\x1f\x7f]", url):
        raise ValidationError("An address has no backslash and no white space.", code="address")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok:
        raise ValidationError("Give an address that begins with http:// or https:// and a host.", code="address")
    if "@" in parts.netloc:
        raise ValidationError("Take user name and password out of the address; use the sign-in fields.", code="address")
    if "?" in url or "#" in url:
        raise ValidationError("The address may not hold '?' or '#'.", code="address")
    if (literal := _ip(parts.hostname)) and (why := refusal(literal, allow_private=True)):
        raise ValidationError(f"This {why}.", code="address")


def _ip(host: str) -> str:
    """The IP address that `host` is, however it is written (`0xa9.254.43518`, 2852039166); empty: it is a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        with suppress(OSError, UnicodeError):
            return socket.inet_ntoa(socket.inet_aton(host))
    return ""


def refusal(peer: str, *, allow_private: bool) -> str:
    """Why this IP address is not spoken to, a predicate that reads on from the target's name; empty: it may be.

    Link-local, metadata, multicast, reserved and unspecified addresses never are; private ones with `allow_private`.
    An IPv6 address that carries an IPv4 one is judged by both. A network's own translator under a global prefix
    can't be told from a service.
    """
    address = ipaddress.ip_address(peer)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    judged = [address, *_carried(address)]
    if any(_is_never(one) for one in judged):
        return f"is at {address}, an address that is never spoken to"
    if not allow_private and any(map(_is_private, judged)):
        return f"is at {address}, a private address; allow private addresses if that is meant"
    return ""


def _is_never(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or any(address in network for network in (*METADATA, *NOWHERE))
    )


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    is_outside = isinstance(address, IPv6Address) and address not in GLOBAL and address not in NAT64
    return is_outside or not address.is_global or any(address in network for network in UNUSUAL)


def _carried(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 one leads to on its way through a translator or a tunnel."""
    if isinstance(address, IPv4Address) or int(address) < 2:  # `::` and `::1` are themselves
        return []
    found = [*filter(None, [address.sixtofour]), *(address.teredo or ())]
    if any(address in network for network in IPV4_LAST):
        found.append(IPv4Address(address.packed[12:]))
    if address in LOCAL_NAT64:
        # Which of the places it is, only the translator knows; zeros are none.
        places = [IPv4Address(bytes(address.packed[place] for place in four)) for four in IPV4_PLACES]
        found += [place for place in places if place not in NOWHERE[0]]
    return found
