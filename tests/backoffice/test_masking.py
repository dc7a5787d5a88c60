"""Secrets that come back are hidden, in whatever way they were written."""

import base64
import html
import json
import time
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.kit.masking import HIDDEN, LEAST, Mask, secrets_of

SECRET = "s3cret/w+rd \"of\" <a> & 'b' \\ %~"
FORMS = {
    "as it is": lambda text: text,
    "capital letters": str.upper,
    "small letters": str.lower,
    "in a query": lambda text: urlencode({"token": text}),
    "in an address": lambda text: quote(text, safe=""),
    "in an address, but for the slashes": quote,
    "in an address, in small letters": lambda text: quote_plus(text).lower(),
    "in an address in an address": lambda text: quote(quote(text, safe=""), safe=""),
    "in JSON": json.dumps,
    "in JSON, with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "in JSON, all signs escaped": lambda text: "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in text),
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"token": text})),
    "in Python": repr,
    "in HTML": html.escape,
    "in HTML, as Jinja does": lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "in HTML, but for the quotes": lambda text: html.escape(text, quote=False),
    "in JSON in HTML": lambda text: html.escape(json.dumps(text)),
    "in hex": lambda text: text.encode().hex(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64, behind a name": lambda text: base64.b64encode(f"editor:{text}".encode()).decode(),
    "in base64, amid a text": lambda text: base64.b64encode(f"a {text} b".encode()).decode(),
    "in base64, for addresses": lambda text: base64.urlsafe_b64encode(f"ab{text}".encode()).decode(),
    "in base64, in an address": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("secret", [SECRET, "s3cret-of-the-target"])
def test_a_secret_is_hidden_however_it_is_written(secret, form):
    mask = Mask([secret])
    written = form(secret)
    hidden = mask.hide(f"You sent: {written}!")
    assert HIDDEN in hidden
    # Of base64 at most what the letters beside it say too.
    assert not any(written[at : at + 8] in hidden for at in range(8, len(written) - 16))
    assert mask.finds(f"You sent: {written}!")


def test_other_text_stays():
    mask = Mask([SECRET, ""])
    assert mask.hide('{"title": "A secret of the sea"}') == '{"title": "A secret of the sea"}'
    assert not mask.finds("A secret of the sea")
    assert Mask([]).hide("text") == "text"


def test_a_short_secret_is_hidden_but_proves_nothing():
    """An id that holds it may be an innocent one."""
    short = "x" * (LEAST - 1)
    assert Mask([short]).hide(f"a{short}b") == f"a{HIDDEN}b"
    assert not Mask([short]).finds(short)
    assert Mask(["a"]).hide("a:YQ==") == "***:***=="


@given(st.integers(0, 400), st.integers(0, 40), st.integers(1, 60))
def test_what_is_cut_off_holds_no_part_of_a_secret(before, times, characters):
    body = b"-" * before + SECRET.encode() * times
    kept = Mask([SECRET]).beginning(body + b"." * 1000, characters)
    assert len(kept) <= characters
    assert kept.replace(HIDDEN, "").strip("-*.") == ""


@pytest.mark.parametrize("secret", ["a" + "\\" * 9 + "b" * 9, "%5c" * 9, "&amp;" * 9, "\\%" * 9 + "b", "%25" * 9 + "b"])
def test_whoever_knows_the_secret_can_not_make_the_search_last(secret):
    mask = Mask([secret])
    assert mask.hide(f"-{secret}-") == f"-{HIDDEN}-"
    started = time.process_time()  # of a busy machine the wall clock says nothing
    for filler in ("\\", "%5c", "%25", "&amp;", "%"):
        mask.beginning((secret + filler * 5000 + secret[:-1]).encode(), 2000)
    assert time.process_time() - started < 20  # seconds, an end: it takes one; without care, years


def test_the_beginning_of_an_endless_answer_is_looked_at_only():
    body = b"-" * 100_000 + SECRET.encode()
    assert Mask([SECRET]).beginning(body, 2000) == "-" * 2000
    assert Mask([]).beginning(b"\xff\xfeab", 3) == "\ufffd\ufffda"


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        ("Bearer abc", ["Bearer abc", "abc"]),
        ("abc", ["abc", ""]),
        (f"Basic {base64.b64encode(b'editor:a:b').decode()}", ["a:b"]),
        ("Basic ?", ["?"]),
    ],
)
def test_what_is_secret_in_a_header(header, secrets):
    assert set(secrets) <= set(secrets_of(header))
