"""The servers of `test_dialects.py` that keep values in a form of their own."""

import html
import re
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.remote import Dialect
from tests.syncer.targets.rest.server import OPEN, Server

# What all of the following is sent of each post, beside its fields: values that servers like to write in their own way.
HABITS = {
    "mail": " Ann.Lee@Example.COM",
    "at": "2026-11-29T12:00:00+00:00",
    "price": "10.50",
    "count": 3,
    "live": True,
    "note": "",
    "quote": 'It\'s 5 > 3 & "½" is ﬁne',
}


def texts(change: Any) -> Any:
    """A habit of a service: texts are changed."""
    return lambda _, value: change(value) if isinstance(value, str) else value


def only(name: str, change: Any) -> Any:
    """A habit of a service: one field is changed."""
    return lambda field_, value: change(value) if field_ == name else value


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def plain(text: str) -> str:
    """Without accents and other signs."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def habit(name: str, keep: Any, *, asks: frozenset[str] = frozenset(), **dialect: Any) -> Server:
    """A server that keeps values in a form of its own, and filters by it."""
    return Server(
        name=name, dialect=Dialect(keep=keep, **dialect), columns={"constants": HABITS, "lookup": ["title"]}, asks=asks
    )


NORMALISING = [
    habit("lower case", texts(str.lower)),
    habit("upper case words", texts(str.title)),
    habit("trimmed", texts(lambda text: " ".join(text.split()))),
    habit("HTML-escaped", texts(html.escape)),
    habit("HTML-escaped twice", texts(lambda text: html.escape(html.escape(text)))),
    habit("NFKC", texts(lambda text: unicodedata.normalize("NFKC", text))),
    habit("NFD", texts(lambda text: unicodedata.normalize("NFD", text)), filters="ignored"),
    habit("Z for +00:00", only("at", lambda value: value.replace("+00:00", "Z"))),
    habit("another zone", only("at", lambda value: moment(value).astimezone(timezone(timedelta(hours=2))).isoformat())),
    habit("epoch milliseconds", only("at", lambda value: int(moment(value).timestamp() * 1000))),
    habit("HTTP dates", only("at", lambda value: f"{moment(value):%a, %d %b %Y %H:%M:%S} GMT")),
    habit("numbers as texts", lambda _, value: str(value) if isinstance(value, int | float) else value),
    habit("texts as numbers", only("price", float)),
    habit("four decimals", only("price", "{:0<7}".format)),
    habit("yes and no", only("live", lambda value: "yes" if value else "no")),
    habit("null for empty", lambda _, value: None if value == "" else value),
    habit("empty left out", only("note", lambda _: None)),
    habit("slashes added", texts(lambda text: re.sub(r"(['\"\\])", r"\\\1", text))),
    habit("percent-encoded", only("quote", lambda text: text.replace("&", "%26").replace(">", "%3E"))),
    habit("rendered", only("title", lambda text: {"raw": text, "rendered": html.escape(text)}), filters="ignored"),
    # What is lost in these can't be told from another record: a person decides.
    habit("without accents", texts(plain), asks=OPEN),
    habit("cut", texts(lambda text: text[:20]), asks=OPEN),
    habit("cut short", only("title", lambda text: text[:13]), asks=OPEN),
    habit("cut with dots", texts(lambda text: text if len(text) < 30 else f"{text[:27]}..."), asks=OPEN),
    habit("without markup", texts(lambda text: re.sub(r"<[^>]*>", "", text)), asks=OPEN),
    habit("typographic", texts(lambda text: text.replace("'", "\u2019").replace('"', "\u201c")), asks=OPEN),
    habit("local time", only("at", lambda value: f"{moment(value) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"), asks=OPEN),
]
