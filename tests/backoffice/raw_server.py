"""A server that says, byte for byte, what a test wants: what no well-behaved library would send."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """On loopback. `heard` is what came in, by connection; of one that said nothing, nothing."""

    port: int
    heard: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def says(*parts: bytes) -> Answer:
    """Sends `parts`, to each request the same."""

    def answer(opened: socket.socket) -> None:
        for part in parts:
            opened.sendall(part)

    return answer


def for_ever(head: bytes, part: bytes) -> Answer:
    """Sends `head`, then `part` again and again, until nobody listens any more."""

    def answer(opened: socket.socket) -> None:
        opened.sendall(head)
        while True:
            opened.sendall(part)

    return answer


def nothing(opened: socket.socket) -> None:
    """Ends the connection."""
    opened.shutdown(socket.SHUT_RDWR)


@contextmanager
def raw_server(answer: Answer) -> Iterator[RawServer]:
    """A server that gives `answer` to whatever comes in."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = RawServer(port=listener.getsockname()[1])
    threads: list[threading.Thread] = []
    closing: list[socket.socket] = []

    def take() -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                opened, _ = listener.accept()
                server.heard.append(b"")
                closing.append(opened)
                threads.append(threading.Thread(target=serve, args=(opened, len(server.heard) - 1)))
                threads[-1].start()

    def serve(opened: socket.socket, number: int) -> None:
        with opened, suppress(OSError):  # the client has had enough
            while heard := opened.recv(65536):
                server.heard[number] += heard
                answer(opened)

    taker = threading.Thread(target=take)
    taker.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        taker.join()
        for opened in closing:
            with suppress(OSError):  # it is closed already
                opened.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
