"""What carries alerts: a mail server and a webhook's receiver, on loopback, that fail as a test wants."""

import base64
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.serving import serving


@dataclass
class Mailbox:
    """A mail server (RFC 5321, as far as a client that sends goes).

    `says` has answers in place of the usual ones: `{"DATA": "451 later"}`; `"."` ends a message, `""` hangs up.
    """

    messages: list[EmailMessage] = field(default_factory=list)
    says: dict[str, str] = field(default_factory=dict)
    arrived: Callable[[], object] = lambda: None  # called for each message taken, before that is answered
    signed_in: list[str] = field(default_factory=list)  # what clients gave, "user:password"
    port: int = 0

    @property
    def ids(self) -> list[str]:
        return [str(message["Message-ID"]) for message in self.messages]


class _Mail(socketserver.StreamRequestHandler):
    USUAL = {"EHLO": "250-test\r\n250 AUTH PLAIN", "AUTH": "235 yes", "DATA": "354 go on", "QUIT": "221 bye"}

    def handle(self) -> None:
        box: Mailbox = cast(Any, self.server).box
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            words = line.decode().split()
            verb = words[0].upper()
            if verb == "AUTH":
                box.signed_in.append(base64.b64decode(words[2]).decode().replace("\0", ":").strip(":"))
            answer = box.says.get(verb, self.USUAL.get(verb, "250 ok"))
            if verb == "DATA" and answer.startswith("354"):
                self.wfile.write(f"{answer}\r\n".encode())
                answer = self._message(box)
            if not answer:
                return
            self.wfile.write(f"{answer}\r\n".encode())

    def _message(self, box: Mailbox) -> str:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        box.messages.append(message_from_bytes(b"".join(lines), policy=policy.default))
        box.arrived()
        return box.says.get(".", "250 taken")


@dataclass
class Hook:
    """A webhook's receiver; `posts` has the headers (lower-case names) and bytes of each request."""

    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # what it answers, in turn; then 204
    body: bytes = b""  # of its answers
    arrived: Callable[[], object] = lambda: None  # called for each request, before it is answered
    port: int = 0

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.posts]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/s3cret-path"


class _Post(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The hook keeps what came."""

    def do_POST(self) -> None:
        hook: Hook = cast(Any, self.server).hook
        content = self.rfile.read(int(self.headers["Content-Length"]))
        hook.posts.append(({name.lower(): value for name, value in self.headers.items()}, content))
        hook.arrived()
        self.send_response(hook.statuses.pop(0) if hook.statuses else 204)
        self.end_headers()
        self.wfile.write(hook.body)


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no fault of ours."""


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    server: Any = _MailServer(("127.0.0.1", 0), _Mail)
    server.box = Mailbox(port=server.server_address[1])
    with serving(server):
        yield server.box


@contextmanager
def hook() -> Iterator[Hook]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Post)
    server.handle_error = lambda *_: None
    server.hook = Hook(port=server.server_port)
    with serving(server):
        yield server.hook
