"""Decide which addresses the program may connect to."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import phrase

Network = IPv4Network | IPv6Network

# Metadata services of clouds: they give the machine's own credentials to any client.
METADATA = [
    ipaddress.ip_network(network)
    for network in (
        "169.254.169.254",  # most clouds
        "169.254.170.2",  # AWS, for containers
        "169.254.170.23",  # AWS, for Kubernetes
        "fd00:ec2::/32",  # AWS
        "fd20:ce::/64",  # Google Cloud
        "fd00:42::/64",  # Scaleway
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure; in a public range
        "192.0.0.192",  # Oracle Cloud
    )
]
NOWHERE = [ipaddress.ip_network(network) for network in ("0.0.0.0/8", "240.0.0.0/4")]  # RFC 1122, 3.2.1.3; RFC 1112, 4
# RFC 6890 and RFC 7526: partly global, but never used for services. RFC 9637: documentation.
UNUSUAL = [ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")]
GLOBAL = ipaddress.ip_network("2000::/3")  # RFC 4291, 2.4: all global unicast addresses allocated so far
# RFC 6052 (NAT64), RFC 4291, 2.5.5.1 and RFC 2765, 2.1: the last 32 bits are an IPv4 address.
NAT64 = ipaddress.ip_network("64:ff9b::/96")
IPV4_LAST = (NAT64, ipaddress.ip_network("::/96"), ipaddress.ip_network("::ffff:0:0:0/96"))
# RFC 8215: a network's own translators. RFC 6052, 2.2: the position of the IPv4 address, by the length of the prefix.
LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
PORTS = {"http": 80, "https": 443}
EVERYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
# Names that no public host has: one word, and endings reserved by RFC 6761, 6762 and 8375, and by ICANN (internal).
INSIDE = re.compile(r"[^.]+|.+\.(internal|local|localhost|home\.arpa)")
IPV4_PLACES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))  # bytes


def check_url(url: str, networks: Iterable[Network] | None = None) -> None:
    """Refuse every address but plain http(s) ones: other schemes, credentials, a query, a fragment.

    An IP address that may not be connected to is refused too, in any notation. A host name is checked on connecting.

    Args:
        networks: see `refusal`; by default those of the setting.

    Raises:
        ValidationError: the address is refused; the message names the cure.
    """
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        raise ValidationError(_("This is not an address."), code="address") from None
    # URL parsers disagree about these characters: the host that is checked could differ from the one connected to.
    if re.search(r"[\\\s\0-\x1f\x7f]", url):
        raise ValidationError(_("An address has no backslash and no white space."), code="address")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok:
        raise ValidationError(_("Give an address that begins with http:// or https:// and a host."), code="address")
    if "@" in parts.netloc:
        raise ValidationError(
            _("Take user name and password out of the address; use the sign-in fields."), code="address"
        )
    if "?" in url or "#" in url:
        raise ValidationError(_("The address may not hold '?' or '#'."), code="address")
    allowed = settings.PRIVATE_NETWORKS if networks is None else networks
    if (literal := _ip(parts.hostname)) and (reason := refusal(literal, allowed)):
        raise ValidationError(_("This %(reason)s.") % {"reason": localized(reason)}, code="address")


def origin(url: str) -> str:
    """Return scheme, host and port of an address that `check_url` accepts: `https://api.example.com:443`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or PORTS.get(parts.scheme)}"


def may_be_private(url: str) -> bool:
    """Return whether the host of an address can be in one of PRIVATE_NETWORKS; of a name only its form is known."""
    host = urlsplit(url).hostname or ""
    if literal := _ip(host):
        return bool(refusal(literal, ())) and not refusal(literal, settings.PRIVATE_NETWORKS)
    return bool(settings.PRIVATE_NETWORKS) and INSIDE.fullmatch(host) is not None


def _ip(host: str) -> str:
    """Return the IP address that `host` denotes in any notation (`0xa9.254.43518`, 2852039166); empty for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        with suppress(OSError, UnicodeError):
            return socket.inet_ntoa(socket.inet_aton(host))
    return ""


def refusal(peer: str, networks: Iterable[Network]) -> str:
    """Return why the program may not connect to the IP address `peer`; empty if it may.

    Metadata, multicast, reserved and unspecified addresses are always refused. Private ones are allowed in `networks`,
    link-local ones only in a network that holds no others. An IPv6 address that embeds an IPv4 address is checked as
    both. A network's own translator under a global prefix can't be distinguished from a service.

    Args:
        networks: as the setting PRIVATE_NETWORKS has them.

    Returns:
        A predicate that continues a sentence beginning with the target's name: "is at 10.0.0.1, a private address…".
    """
    address = ipaddress.ip_address(peer)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    candidates = [address, *_embedded(address)]
    if any(map(_is_forbidden, candidates)):
        return phrase("is at %(address)s, an address that is never contacted", address=str(address))
    if any(_is_private(one) and not _is_in(one, networks) for one in candidates):
        return phrase(
            "is at %(address)s, a private address; if that is meant, name its network in the setting PRIVATE_NETWORKS",
            address=str(address),
        )
    return ""


def _is_in(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address in one and (one.is_link_local or not address.is_link_local) for one in networks)


def _is_forbidden(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_multicast or address.is_unspecified or any(address in network for network in (*METADATA, *NOWHERE))
    )


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    is_outside = isinstance(address, IPv6Address) and address not in GLOBAL and address not in NAT64
    return is_outside or not address.is_global or any(address in network for network in UNUSUAL)


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address may be translated or tunneled to."""
    if isinstance(address, IPv4Address) or int(address) < 2:  # `::` and `::1` embed nothing
        return []
    embedded = [*filter(None, [address.sixtofour]), *(address.teredo or ())]
    if any(address in network for network in IPV4_LAST):
        embedded.append(IPv4Address(address.packed[12:]))
    if address in LOCAL_NAT64:
        # Only the translator knows which position holds the address; zeros are padding.
        candidates = [IPv4Address(bytes(address.packed[place] for place in four)) for four in IPV4_PLACES]
        embedded += [candidate for candidate in candidates if candidate not in NOWHERE[0]]
    return embedded
