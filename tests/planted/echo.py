"""A server that sends back what it is signed in to with, in whatever place and form a test wants."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.planted.forms import FORMS
from tests.serving import serving

JSON = "application/json"


@dataclass(frozen=True)
class Said:
    """An answer. `raw`: in place of it, these bytes, and the connection ends."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""


Answer = Callable[[str], Said]  # what is said to who knows this secret


@dataclass
class Echo:
    """While it runs, `answer` is said to every request but those for a token."""

    answer: Answer
    secret: str  # what the test planted; what came as a header is sent back beside it
    token: str = ""  # the access token that is given
    token_answer: Answer | None = None  # in place of a token
    asked: int = 0  # requests, tokens not counted
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """It keeps no log."""

    def serve(self) -> None:
        echo: Echo = cast(Any, self.server).echo
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path.startswith("/token"):
            given = Said(body={"access": echo.token, "access_token": echo.token, "refresh": echo.token})
            self.say(echo.token_answer(echo.secret) if echo.token_answer else given)
            return
        echo.asked += 1
        came = self.headers["Authorization"] or self.headers["X-Api-Key"] or ""
        self.say(echo.answer(f"{echo.secret} {came}"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - http.server looks for these names

    def say(self, said: Said) -> None:
        if said.raw:
            self.wfile.write(said.raw)
            self.close_connection = True
            return
        content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        self.send_response(said.status)
        for name, value in {"Content-Type": JSON, "Content-Length": str(len(content)), **said.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def echo(secret: str, *, token: str = "") -> Iterator[Echo]:
    """The server, while the context is open."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.echo = Echo(said("as it is"), secret, token, port=server.server_port)
    with serving(server):
        yield server.echo


def said(form: str, status: int = 422) -> Answer:
    """A refusal that quotes the secret in one of FORMS."""
    return lambda secret: Said(status, f"You sent: {FORMS[form](secret)}".encode())


def everywhere(secret: str) -> str:
    """The secret in all forms, in one line."""
    return " ".join(form(secret) for form in FORMS.values())


def _line(secret: str) -> str:
    """As `everywhere`, for a header."""
    return everywhere(secret).replace("\n", "")


def _raw(text: str, secret: str) -> Said:
    return Said(raw=text.replace("%s", everywhere(secret)).encode())


# What can come to a create, an update or a delete. A record's id of 1 is taken by the second that gets it.
TO_WRITES: dict[str, Answer] = {
    "a page": lambda secret: Said(200, f"<p>{everywhere(secret)}".encode(), {"Content-Type": "text/html"}),
    "cut short": lambda secret: Said(200, json.dumps({"id": 1, "said": everywhere(secret)})[:-1].encode()),
    "no id": lambda secret: Said(201, {"said": everywhere(secret)}),
    "as the id": lambda secret: Said(201, {"id": secret}),
    "in the id, in base64": lambda secret: Said(201, {"id": FORMS["in base64, behind one letter"](secret)[:200]}),
    "an id and more": lambda secret: Said(201, {"id": 1, "said": everywhere(secret)}),
    "the same id": lambda secret: Said(201, {"id": 1, everywhere(secret): everywhere(secret)}),
    "in a redirect": lambda secret: Said(302, b"", {"Location": f"/elsewhere?{_line(secret)}"}),
    "in a redirect elsewhere": lambda secret: Said(307, b"", {"Location": f"http://[{_line(secret)}"}),
    "in a challenge": lambda secret: Said(401, b"", {"WWW-Authenticate": f'Bearer error="{_line(secret)}"'}),
    "forbidden": lambda secret: Said(403, everywhere(secret).encode()),
    "in Retry-After": lambda secret: Said(408, b"", {"Retry-After": _line(secret)}),
    "in a cookie": lambda secret: Said(409, {"said": secret}, {"Set-Cookie": f"a={_line(secret)}"}),
    "gone": lambda secret: Said(410, everywhere(secret).encode()),
    "an error": lambda secret: Said(500, everywhere(secret).encode()),
    "in the status line": lambda secret: _raw("HTTP/1.1 %s\r\n\r\n", secret),
    "no HTTP": lambda secret: _raw("%s\r\n\r\n", secret),
    "in a chunk": lambda secret: _raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n", secret),
    "as gzip": lambda secret: _raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n%s", secret),
    "promised longer": lambda secret: _raw("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n%s", secret),
    "deep": lambda secret: Said(200, b"[" + json.dumps(everywhere(secret)).encode() + b",[" * 100_000),
    "long": lambda secret: Said(422, (everywhere(secret) * 300).encode()),
    "half a secret at the end": lambda secret: Said(422, ("." * 1990 + secret).encode()),
}
# What can come to a look-up: a list, in the route's fields.
TO_LISTS: dict[str, Answer] = {
    "no list": lambda secret: Said(200, everywhere(secret)),
    "no items": lambda secret: Said(200, {everywhere(secret): []}),
    "as an id": lambda secret: Said(200, {"items": [{"id": secret, "title": "T", "userId": 1}], "next": None}),
    "in a record": lambda secret: Said(200, {"items": [{"id": 5, "title": everywhere(secret)}], "next": None}),
    "as the cursor": lambda secret: Said(200, {"items": [], "next": secret}),
    "in the next page": lambda secret: Said(200, {"items": [], "next": f"/posts?said={_line(secret)}"}),
    "in the next page, elsewhere": lambda secret: Said(200, {"items": [], "next": f"http://x.invalid/{_line(secret)}"}),
    "in a next page that is none": lambda secret: Said(200, {"items": [], "next": f"http://[{secret}"}),
    "an error": lambda secret: Said(500, everywhere(secret).encode()),
    "forbidden": lambda secret: Said(403, everywhere(secret).encode()),
}
TO_SIGN_IN: dict[str, Answer] = {
    "refused": lambda secret: Said(401, everywhere(secret).encode()),
    "a page": lambda secret: Said(200, f"<p>{everywhere(secret)}".encode()),
    "no token": lambda secret: Said(200, {"said": everywhere(secret)}),
    "no text": lambda secret: Said(200, {name: {"said": secret} for name in ("access", "access_token")}),
    "as a name": lambda secret: Said(200, {secret: 1, everywhere(secret): 2}),
    "as the error": lambda secret: Said(400, {"error": secret, "error_description": everywhere(secret)}),
    "as the type": lambda secret: Said(200, {"access_token": "t", "token_type": secret}),
    "in a redirect": lambda secret: Said(302, b"", {"Location": f"/elsewhere?{_line(secret)}"}),
    "an error": lambda secret: Said(500, everywhere(secret).encode()),
    "no HTTP": lambda secret: _raw("%s\r\n\r\n", secret),
    "deep": lambda secret: Said(200, b"[" * 100_000),
}


def to_chat(secret: str) -> Said:
    """What a chat endpoint says."""
    return Said(200, {"choices": [{"message": {"content": everywhere(secret)}}]})
