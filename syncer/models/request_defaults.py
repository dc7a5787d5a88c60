"""The headers and parameters that a target adds to each of its requests: which ones are allowed.

They are stored and shown as they are, so none may be a secret; and none may change what a request of the engine means.
"""

import math
import re
from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from syncer.models.mapping import wrong

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a header's name: RFC 9110, section 5.6.2
RESERVED = re.compile(  # what describes the connection, the body or a condition, or names an account
    r"authorization|set-cookie2?|cookie2?|host|content-(length|encoding|range)|transfer-encoding|connection|keep-alive"
    r"|te|trailer|upgrade|expect|range|idempotency-key|if-.*|proxy-.*",
    re.IGNORECASE,
)
METHOD = re.compile(r"_method|x-(http-)?method(-override)?", re.IGNORECASE)  # many frameworks let these replace it
SECRET = re.compile(r"token|secret|passw|pwd|api[-_]?key|access[-_]?key|subscription-key|credential|^key$", re.I)


def is_sendable(value: str) -> bool:
    """Return whether a header can carry the text: printable ASCII, with no space around it."""
    return value.isascii() and value.isprintable() and value == value.strip()


def header_errors(headers: object, *, sign_in: str) -> Iterator[ValidationError]:
    """Refuse headers that can't be sent, or that the engine or the sign-in, in the header `sign_in`, sends itself."""
    if not isinstance(headers, dict):
        yield wrong(_('Give names and values: {"Accept": "application/vnd.api+json"}'))
        return
    names = [name.lower() for name in headers]
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            why = _("'%(name)s' is not a header's name: use letters, digits and '-'")
        elif RESERVED.fullmatch(name):
            why = _("The engine sets '%(name)s' itself where it is needed; leave it out")
        elif reason := _refusal(name):
            why = reason
        elif name.lower() == sign_in.lower():
            why = _("The sign-in sends '%(name)s'; leave it out here")
        elif names.count(name.lower()) > 1:
            why = _("'%(name)s' is given twice: the case of a header's name does not count")
        elif not isinstance(value, str) or not is_sendable(value):
            why = _("Give '%(name)s' a text of printable ASCII characters, without spaces around it")
        elif name.lower() == "content-type" and "json" not in value.lower():
            why = _("Bodies are sent as JSON; give a type of JSON, such as application/vnd.api+json")
        else:
            continue
        yield wrong(why, at=name, name=name)


def query_errors(query: object) -> Iterator[ValidationError]:
    """Refuse parameters that an address can't carry, or that are secrets."""
    if not isinstance(query, dict):
        yield wrong(_('Give names and values: {"api-version": "2026-01-01"}'))
        return
    for name, value in query.items():
        if not name or not name.isprintable():
            why = _("Give the parameter a name of printable characters")
        elif reason := _refusal(name):
            why = reason
        elif not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
            why = _("Give '%(name)s' a text, a number, true or false")
        elif not str(value).isprintable():
            why = _("Give '%(name)s' a text without line breaks and other control characters")
        else:
            continue
        yield wrong(why, at=name, name=name)


def query_text(value: object) -> str:
    """Return the text by which an address carries a parameter's value; true and false are in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(name: str) -> str:
    """Return why neither a header nor a parameter may have that name; empty if one may."""
    if METHOD.fullmatch(name):
        return _("'%(name)s' would replace the method of every request; leave it out")
    if SECRET.search(name):
        return _("'%(name)s' looks like a secret, which everybody who sees the target could read. Use the sign-in")
    return ""
