"""What lies between two nodes: it passes requests on, and some of them it spoils, by a seed."""

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.serving import reset

HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to the network."
SLOW = (0.1, 1.5)  # seconds; a client gives up after 2
LATE = (0.5, 9.0)  # seconds after which a request comes again
NODE_SECONDS = 30
# What happens to a request; those whose name ends in "done" are passed on all the same.
FAULTS = {
    "reset undone": 3,
    "reset done": 3,
    "slow done": 3,
    "doubled done": 3,
    "again much later": 2,  # the client is told at once that it failed; it arrives long after its repeats
    "garbage done": 2,
    "garbage undone": 1,
    "500 undone": 2,
    "500 done": 2,
    "cut done": 2,
    "half done": 2,
}
# These, of a sign-in, stop the target until a person has looked: whoever answers so is not the node.
NOT_OF_SIGN_IN = ("garbage done", "garbage undone", "half done")


@dataclass(frozen=True, kw_only=True)
class Passed:
    """One request: `status` is what the node answered, None if it was not asked or did not answer."""

    at: float
    path: str
    fault: str
    items: int
    status: int | None = None


class Way(ThreadingHTTPServer):
    """The way to the node at `address`; `serving` opens it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, *, seed: str, rate: float) -> None:
        self.node, self.seed, self.rate = urlsplit(address).netloc, seed, rate
        self.late: list[int | None] = []  # what the node answered to requests that came again much later
        self._journal: list[Passed] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        super().__init__(("127.0.0.1", 0), Passing)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def journal(self) -> list[Passed]:
        with self._lock:
            return list(self._journal)

    def server_close(self) -> None:
        self._closed.set()
        super().server_close()

    def heal(self) -> None:
        """From now on nothing fails."""
        self.rate = 0.0

    def note(self, path: str, body: bytes) -> tuple[int, str, random.Random]:
        """A request arrived: its number, the fault that it falls to, and the dice of its own."""
        with self._lock:
            number = len(self._journal)
            choice = random.Random(f"{self.seed}/{number}")
            fault = self.fault(path, choice)
            self._journal.append(Passed(at=time.monotonic(), path=path, fault=fault, items=items_in(body)))
        return number, fault, choice

    def fault(self, path: str, choice: random.Random) -> str:
        """The fault that a request falls to; empty: none."""
        falls = choice.random() < self.rate
        fault = choice.choices(list(FAULTS), list(FAULTS.values()))[0] if falls else ""
        return "" if fault in NOT_OF_SIGN_IN and "/token/" in path else fault

    def answered(self, number: int, status: int | None) -> None:
        with self._lock:
            self._journal[number] = replace(self._journal[number], status=status)

    def pause(self, seconds: float) -> None:
        self._closed.wait(seconds)

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> "tuple[int, bytes, str] | None":
        """The node's answer: status, content, type; None: it gave none."""
        node = http.client.HTTPConnection(self.node, timeout=NODE_SECONDS)
        try:
            node.request(method, path, body, headers | {"Host": self.node})
            answer = node.getresponse()
            return answer.status, answer.read(), answer.headers["Content-Type"] or ""
        except (OSError, http.client.HTTPException):
            return None
        finally:
            node.close()

    def repeat(self, seconds: float, *request: Any) -> None:
        """Ask the node again, so many seconds later."""

        def work() -> None:
            self.pause(seconds)
            answer = self.ask(*request)
            self.late.append(answer and answer[0])

        threading.Thread(target=work, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up, and are killed, are what this is for."""


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Way

    def log_message(self, *_: object) -> None:
        """The journal is the log."""

    def pass_on(self) -> None:
        way, body = self.server, self.rfile.read(int(self.headers.get("Content-Length") or 0))
        number, fault, choice = way.note(self.path, body)
        request = (self.command, self.path, body, dict(self.headers))
        if fault == "again much later":
            way.repeat(choice.uniform(*LATE), *request)
        if not fault or fault.endswith(" done"):
            if fault == "slow done":
                way.pause(choice.uniform(*SLOW))
            if fault == "doubled done":
                way.ask(*request)
            answer = way.ask(*request)
            way.answered(number, answer and answer[0])
            self.tell(fault, answer)
        else:
            self.tell(fault, (200, b"{}", "application/json"))

    do_GET = do_POST = do_PUT = pass_on  # noqa: N815 - http.server looks for these names

    def tell(self, fault: str, answer: tuple[int, bytes, str] | None) -> None:
        """Answer the client, as `fault` spoils it."""
        kind = fault.split(" ")[0]
        if answer is None or kind in ("reset", "again"):
            reset(self.connection)
            self.close_connection = True
            return
        status, content, content_type = answer
        match kind:
            case "garbage":
                self.write(200, HTML, "text/html")
            case "500":
                self.write(500, b"{}", content_type)
            case "half":
                self.write(status, content[: len(content) // 2], content_type)
            case "cut":
                self.write(status, content[: len(content) // 2], content_type, announce=len(content) + 1)
                self.close_connection = True
            case _:
                self.write(status, content, content_type)

    def write(self, status: int, content: bytes, content_type: str, announce: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content) if announce is None else announce))
        self.end_headers()
        self.wfile.write(content)


def items_in(body: bytes) -> int:
    """How many objects a request hands over."""
    try:
        return len(json.loads(body).get("items", []))
    except (ValueError, AttributeError):
        return 0
