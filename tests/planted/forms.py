"""The ways in which a server may send a text back, and in which a search looks for one."""

import base64
import html
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "in an address": lambda text: quote(text, safe=""),
    "in a query": lambda text: quote_plus(text).lower(),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON, slashes escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "in JSON, signs escaped": lambda text: "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in text),
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "in Python": repr,
    "in HTML": html.escape,
    "in HTML in JSON": lambda text: json.dumps(html.escape(text)),
    "in hex": lambda text: text.encode().hex(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64, behind one letter": lambda text: base64.b64encode(f":{text}".encode()).decode(),
    "in base64, behind two": lambda text: base64.urlsafe_b64encode(f"::{text}".encode()).decode(),
}


def traces(core: str) -> Iterator[bytes]:
    """What shows, in small letters, that `core` is there: itself, backwards, in hex, in base64 wherever it begins."""
    yield core.lower().encode()
    yield core[::-1].lower().encode()
    yield core.encode().hex().encode()
    if len(core) < 12:  # too few letters of base64 to be told from others
        return
    for behind, first in enumerate((0, 2, 3)):
        packed = base64.b64encode(bytes(behind) + core.encode())
        yield packed[first : (behind + len(core)) // 3 * 4].lower()
