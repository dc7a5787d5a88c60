"""The Fake API's HTTP side: HTTP/1.1 with keep-alive on loopback, one thread a connection."""

import json
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.remote.api import Answer, Call
from tests.remote.faults import Fault, Rule
from tests.serving import reset

if TYPE_CHECKING:
    from tests.remote.remote import Remote

HEADERS = (
    *("Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "User-Agent"),
    "X-Api-Key",
)
HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to the network."


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # its delay would cost 40 ms a request
    server: "Server"

    def log_message(self, *_: object) -> None:
        """The journal is the log."""

    def setup(self) -> None:
        super().setup()
        self.remote = self.server.remote
        self.is_used = False  # a request came before on this connection

    def handle_one_request(self) -> None:
        self.__dict__.pop("content", None)
        super().handle_one_request()

    @cached_property
    def content(self) -> bytes:
        """The request's body, read from the connection when first asked for."""
        return self.rfile.read(self.length)

    @property
    def length(self) -> int:
        return int(self.headers.get("Content-Length") or 0)

    def json(self) -> Any:
        """The request's body as JSON; None where it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def serve(self) -> None:
        """One request: note it, see which fault it falls to, act, answer."""
        url, remote = urlsplit(self.path), self.remote
        if remote.api.closes and self.is_used:
            self.close_connection = True
            return
        self.is_used = True
        rule = remote.plan.take(self.command, url.path, self.json)
        unread = rule is not None and rule.kind is Fault.RESET and not rule.acts
        call = Call(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name: self.headers[name] for name in self.kept_headers() if name in self.headers},
            body=None if unread else self.json(),
            raw=b"" if unread else self.content,
        )
        fault = rule.name if rule else ""
        self.number = remote.log.add(**vars(call), sign_in=remote.is_sign_in(url.path), fault=fault)
        if not unread and len(call.raw) < self.length:
            self.close_connection = True  # who sent it went away in the middle
        elif rule:
            self.misbehave(rule, call)
        else:
            self.send(self.act(call))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - http.server looks for these names

    def kept_headers(self) -> tuple[str, ...]:
        own = getattr(self.remote.api.auth, "name", None)
        return (*HEADERS, own) if own and own not in HEADERS else HEADERS

    def act(self, call: Call) -> Answer:
        answer = self.remote.answer(call)
        self.remote.log.update(self.number, applied=answer.applied)
        return answer

    def misbehave(self, rule: Rule, call: Call) -> None:
        """Do as `rule` says."""
        answer = self.act(call) if rule.acts else None
        rule.arrive()
        if rule.kind in (Fault.HOLD, Fault.HANG):
            rule.pause(rule.most)
        match rule.kind:
            case Fault.LOSE:
                self.remote.lose(call.path)
                self.send(Answer(rule.answers, {}))
            case Fault.RESET:
                reset(self.connection)
                self.close_connection = True
            case Fault.HANG:
                self.close_connection = True
            case Fault.STATUS:
                self.send(Answer(rule.answers, rule.body or {}, rule.all_headers))
            case Fault.HTML | Fault.EMPTY:  # of what was carried out; a refusal stays one
                status = answer.status if answer and answer.status >= 400 else rule.answers
                is_page = rule.kind is Fault.HTML
                self.write(status, HTML if is_page else b"", {"Content-Type": "text/html"} if is_page else {})
            case Fault.REDIRECT:
                self.write(rule.answers, b"", {"Location": rule.location})
            case Fault.FIXED_ID:
                status = answer.status if answer else 201
                self.send(Answer(status, {**call.body, "id": rule.fixed_id}))
            case _:
                self.send_badly(rule, answer or self.act(call))

    def send(self, answer: Answer) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", **answer.headers}
        self.write(answer.status, answer.content, headers)

    def send_badly(self, rule: Rule, answer: Answer) -> None:
        """Send the right answer late, slowly or in part."""
        content = answer.content
        match rule.kind:
            case Fault.HOLD:
                self.send(answer)
            case Fault.NO_ID:
                self.send(replace(answer, body={name: value for name, value in answer.body.items() if name != "id"}))
            case Fault.TRUNCATED:
                self.write(answer.status, content[: len(content) // 2], {"Content-Type": "application/json"})
            case Fault.CUT:
                self.write(answer.status, content[: len(content) // 2], {}, announce=len(content))
                self.close_connection = True
            case Fault.SLOW:
                self.write(answer.status, b"", {}, announce=len(content))
                for index in range(len(content)):
                    rule.pause(rule.seconds / len(content))
                    self.wfile.write(content[index : index + 1])

    def write(self, status: int, content: bytes, headers: Mapping[str, str], announce: int | None = None) -> None:
        # Noted first: whoever has the answer finds it in the journal.
        self.remote.log.update(self.number, status=status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if announce is None else announce))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    daemon_threads = False  # stopping waits for all of them
    request_queue_size = 128

    def __init__(self, remote: "Remote", port: int) -> None:
        self.remote = remote
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), remote.handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        # Not socketserver's shutdown(SHUT_WR): that sends a FIN, and the client would never see the RST.
        with self._open_lock:
            self._open.discard(request)
            self.close_request(request)

    def hang_up(self) -> None:
        """End every connection, idle or not."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was quicker

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):  # a client that gives up is no fault of ours
            self.remote.errors.append(error)
