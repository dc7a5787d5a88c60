"""Hiding secrets in what others sent, before it is kept or shown: some servers send back what they were asked with."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, quote_plus

HIDDEN = "***"
LEAST = 8  # characters; a shorter secret would be found in many a harmless id or text
BYTES_A_CHARACTER = 4  # in UTF-8, at most

# In what ways a text may have been written when it comes back: addresses, JSON, Python, HTML.
WRITTEN: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: quote(text, safe=""),
    quote,
    quote_plus,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: re.sub(r"[^A-Za-z0-9]", lambda found: f"\\u{ord(found[0]):04x}", text),
    lambda text: repr(text)[1:-1],
    html.escape,
    lambda text: html.escape(text, quote=False),
    lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
)


def secrets_of(header: str) -> list[str]:
    """What is secret in a header that signs in: `Bearer TOKEN`, `Basic …` with its password, or the whole of it."""
    scheme, _, secret = header.partition(" ")
    found = [header, secret]
    if scheme.lower() == "basic":
        with suppress(ValueError):  # no base64, or not of text
            found.append(base64.b64decode(secret).decode().partition(":")[2])
    return found


class Mask:
    """Finds secrets in text: as they are, escaped once or twice, in base64 wherever in it they begin, in hex.

    Capital and small letters are the same to it. What was cut, split or encrypted is not found.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = sorted({one for one in secrets if one})
        self._all = _all_forms(tuple(found))
        self._telling = _all_forms(tuple(one for one in found if len(one) >= LEAST))

    def hide(self, text: str) -> str:
        """`text` without the secrets."""
        present = _present(self._all, text)
        return re.sub("|".join(map(re.escape, present)), HIDDEN, text, flags=re.IGNORECASE) if present else text

    def beginning(self, body: bytes, characters: int) -> str:
        """The beginning of `body` without the secrets, for people; `characters` at most."""
        longest = max(map(len, self._all), default=0)
        enough = BYTES_A_CHARACTER * characters + longest
        text = self.hide(body[:enough].decode(errors="replace"))
        if longest and len(body) > enough:
            text = text[:-longest]  # there a secret may have been cut in two
        return text[:characters]

    def finds(self, text: str) -> bool:
        """Whether `text` holds a secret of at least LEAST characters."""
        return bool(_present(self._telling, text))


def _present(forms: Iterable[str], text: str) -> list[str]:
    """Those of the forms that are in `text`. Looking for each is much faster than one pattern of all."""
    lowered = text.lower()
    return [form for form in forms if form in lowered]


@lru_cache(maxsize=128)
def _all_forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """All forms of the secrets, in small letters, the longest first."""
    forms = {form.lower() for one in secrets for form in _forms(one)}
    return tuple(sorted(forms, key=len, reverse=True))


def _forms(secret: str) -> Iterator[str]:
    for once in WRITTEN:
        for twice in WRITTEN:
            yield twice(once(secret))
    yield secret.encode().hex()
    for behind in range(3):  # bytes before it, in the group of three that four letters stand for
        for letters in _in_base64(secret, behind):
            yield from (once(letters) for once in WRITTEN)


def _in_base64(secret: str, behind: int) -> tuple[str, ...]:
    """The letters that stand for `secret` alone, whatever surrounds it; with `+/` and with `-_`."""
    packed = bytes(behind) + secret.encode()
    first, last = (0, 2, 3)[behind], len(packed) * 8 // 6  # six bits a letter
    if last - first < 4:  # found in many a harmless word: then only where it stands alone
        packed, first, last = secret.encode(), 0, 4
    return tuple(pack(packed).decode().rstrip("=")[first:last] for pack in (base64.b64encode, base64.urlsafe_b64encode))
