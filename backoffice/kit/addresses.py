"""Which addresses the program may speak to."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError


def check_url(url: str) -> None:
    """Refuse what is not a plain http(s) address: other schemes, credentials, a query, a fragment."""
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        raise ValidationError("This is not an address.", code="address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok:
        raise ValidationError("Give an address that begins with http:// or https:// and a host.", code="address")
    if parts.username or parts.password:
        raise ValidationError("Take user name and password out of the address; use the sign-in fields.", code="address")
    if parts.query or parts.fragment:
        raise ValidationError("The address may not hold '?' or '#'.", code="address")
