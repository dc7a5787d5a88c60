"""Hiding secrets in what others sent, before it is kept or shown: some servers send back what they were asked with."""

import base64
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, lru_cache

HIDDEN = "***"
LEAST = 8  # characters; a shorter secret would be found in many a harmless id or text
BYTES_A_CHARACTER = 4  # in UTF-8, at most
LONGEST = 24  # characters that one of a secret may become, escaped three times
RUN = re.compile(r"[A-Za-z0-9]+")
# As many as there are languages around a sign. Possessive: who knows the secret must not make the search last for ever.
BACKSLASHES = r"(?:\\(?:u00|x)5c|\\|%(?:25)*5c|&(?:amp;)*#(?:0*92|x0*5c);)"
NAMED = {'"': "quot", "&": "amp", "<": "lt", ">": "gt", "'": "apos"}


def secrets_of(header: str) -> list[str]:
    """What is secret in a header that signs in: `Bearer TOKEN`, `Basic …` with its password, or the whole of it."""
    scheme, _, secret = header.partition(" ")
    found = [header, secret]
    if scheme.lower() == "basic":
        with suppress(ValueError):  # no base64, or not of text
            found.append(base64.b64decode(secret).decode().partition(":")[2])
    return found


class Mask:
    """Finds secrets in text: as they are, in base64 wherever in it they begin, in hex; each escaped however often.

    Capital and small letters are the same to it. What was cut, split or encrypted is not found.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = sorted({one for one in secrets if one})
        self._all = _looks(tuple(found))
        self._telling = _looks(tuple(one for one in found if len(one) >= LEAST))
        self._longest = LONGEST * max(map(len, found), default=0)

    def hide(self, text: str) -> str:
        """`text` without the secrets."""
        lowered = text.lower()
        for run, pattern in self._all:
            if run in lowered:
                text = pattern.sub(HIDDEN, text)
        return text

    def beginning(self, body: bytes, characters: int) -> str:
        """The beginning of `body` without the secrets, for people; `characters` at most."""
        enough = BYTES_A_CHARACTER * characters + self._longest
        text = self.hide(body[:enough].decode(errors="replace"))
        if self._longest and len(body) > enough:
            text = text[: -self._longest]  # there a secret may have been cut in two
        return text[:characters]

    def finds(self, text: str) -> bool:
        """Whether `text` holds a secret of at least LEAST characters."""
        lowered = text.lower()
        return any(run in lowered and pattern.search(text) for run, pattern in self._telling)


@lru_cache(maxsize=128)
def _looks(secrets: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """How to look for each form: first for its longest run of letters and digits, which costs next to nothing."""
    forms = sorted({form for one in secrets for form in _forms(one)}, key=len, reverse=True)
    return [(max(RUN.findall(form), key=len, default="").lower(), _pattern(form)) for form in forms]


def _pattern(form: str) -> re.Pattern[str]:
    single = re.sub(r"\\+", r"\\", form)  # one stands for any number
    signs = "".join(sign if RUN.fullmatch(sign) else _escaped(sign) for sign in single)
    return re.compile(f"{re.escape(form)}|{signs}", re.IGNORECASE)


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield secret.encode().hex()
    for behind in range(3):  # bytes before it, in the group of three that four letters stand for
        yield from _in_base64(secret, behind)


def _in_base64(secret: str, behind: int) -> tuple[str, ...]:
    """The letters that stand for `secret` alone, whatever surrounds it; with `+/` and with `-_`."""
    packed = bytes(behind) + secret.encode()
    first, last = (0, 2, 3)[behind], len(packed) * 8 // 6  # six bits a letter
    if last - first < 4:  # found in many a harmless word: then only where it stands alone
        packed, first, last = secret.encode(), 0, 4
    return tuple(pack(packed).decode().rstrip("=")[first:last] for pack in (base64.b64encode, base64.urlsafe_b64encode))


@cache
def _escaped(sign: str) -> str:
    """A pattern of one sign as it may be written in addresses, JSON, program text and HTML, within each other."""
    if sign == "\\":
        return f"{BACKSLASHES}++"
    code = ord(sign)
    ways = [re.escape(sign), f"%(?:25)*{code:02x}", f"(?:u00|x){code:02x}", f"&(?:amp;)*#(?:0*{code}|x0*{code:x});"]
    if sign in NAMED:
        ways.append(f"&(?:amp;)*{NAMED[sign]};")
    if sign == " ":
        ways.append(r"\+")
    return f"{BACKSLASHES}*+(?:{'|'.join(ways)})"
