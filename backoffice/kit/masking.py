"""Hide secrets in received texts before these are kept or shown: some servers echo the request's credentials."""

import base64
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, lru_cache

HIDDEN = "***"
LEAST = 8  # characters; a shorter secret would match many harmless ids and texts
BYTES_A_CHARACTER = 4  # in UTF-8, at most
LONGEST = 24  # characters that one character of a secret may become, escaped three times
RUN = re.compile(r"[A-Za-z0-9]+")
# There are as many as there are layers of escaping.
BACKSLASHES = r"(?:\\(?:u00|x)5c|\\|%(?:25)*5c|&(?:amp;)*#(?:0*92|x0*5c);)"
NAMED = {'"': "quot", "&": "amp", "<": "lt", ">": "gt", "'": "apos"}


def secrets_of(header: str) -> list[str]:
    """Return the secrets in an Authorization header: all of it, its credential and, of `Basic …`, the password."""
    scheme, _, secret = header.partition(" ")
    parts = [header, secret]
    if scheme.lower() == "basic":
        with suppress(ValueError):  # not base64, or not of text
            parts.append(base64.b64decode(secret).decode().partition(":")[2])
    return parts


class Mask:
    """Finds secrets in text: plain, in hex, in base64 at any offset; each escaped any number of times.

    Case is ignored. Secrets that were cut, split or encrypted are not found.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted(filter(None, {*secrets}))
        self._all = _searches(tuple(known))
        self._distinct = _searches(tuple(secret for secret in known if len(secret) >= LEAST))
        self._longest = LONGEST * max(map(len, known), default=0)

    def hide(self, text: str) -> str:
        """Return `text` with HIDDEN in place of the secrets."""
        lowered = text.lower()
        for run, pattern in self._all:
            if run in lowered:
                text = pattern.sub(HIDDEN, text)
        return text

    def beginning(self, body: bytes, characters: int) -> str:
        """Return at most `characters` from the beginning of `body` as text, without the secrets."""
        enough = BYTES_A_CHARACTER * characters + self._longest
        text = self.hide(body[:enough].decode(errors="replace"))
        if self._longest and len(body) > enough:
            text = text[: -self._longest]  # the end may hold a part of a secret
        return text[:characters]

    def finds(self, text: str) -> bool:
        """Return whether `text` holds a secret of at least LEAST characters."""
        lowered = text.lower()
        return any(run in lowered and pattern.search(text) for run, pattern in self._distinct)


@lru_cache(maxsize=128)
def _searches(secrets: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """Return for each form its longest run of letters and digits, as a cheap first test, and its pattern."""
    forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    return [(max(RUN.findall(form), key=len, default="").lower(), _pattern(form)) for form in forms]


def _pattern(form: str) -> re.Pattern[str]:
    """Return a pattern of `form`, plain or with any of its signs escaped."""
    single = re.sub(r"\\+", r"\\", form)  # one backslash stands for any number
    signs = "".join(sign if RUN.fullmatch(sign) else _escaped(sign, place) for place, sign in enumerate(single))
    return re.compile(f"{re.escape(form)}|{signs}", re.IGNORECASE)


def _forms(secret: str) -> Iterator[str]:
    """Yield the secret as it may be encoded: plain, in hex, in base64 at each of three offsets."""
    yield secret
    yield secret.encode().hex()
    for offset in range(3):  # bytes before the secret in its group of three, which four letters encode
        # The letters that encode the secret alone, whatever surrounds it; with `+/` and with `-_`.
        packed = bytes(offset) + secret.encode()
        first, last = (0, 2, 3)[offset], len(packed) * 8 // 6  # six bits a letter
        if last - first < 4:  # too short, it would match harmless words: search for the secret encoded on its own
            packed, first, last = secret.encode(), 0, 4
        for pack in (base64.b64encode, base64.urlsafe_b64encode):
            yield pack(packed).decode().rstrip("=")[first:last]


@cache
def _escaped(sign: str, place: int) -> str:
    """Return a pattern of one sign as it may be written in addresses, JSON, source code and HTML, nested.

    Args:
        place: where the sign is in the secret, for the name of a group.
    """
    if sign == "\\":
        return _atomic(f"{BACKSLASHES}+", place)
    code = ord(sign)
    ways = [re.escape(sign), f"%(?:25)*{code:02x}", f"(?:u00|x){code:02x}", f"&(?:amp;)*#(?:0*{code}|x0*{code:x});"]
    if sign in NAMED:
        ways.append(f"&(?:amp;)*{NAMED[sign]};")
    if sign == " ":
        ways.append(r"\+")
    return f"{_atomic(f'{BACKSLASHES}*', place)}(?:{'|'.join(ways)})"


def _atomic(pattern: str, place: int) -> str:
    """Return a pattern that gives nothing back: a server that knows the secret must not make the search endless.

    Python's own possessive quantifiers match wrongly before 3.11.5 (https://github.com/python/cpython/issues/106052).
    """
    return f"(?=(?P<at{place}>{pattern}))(?P=at{place})"
