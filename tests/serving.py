"""HTTP and mail servers of the tests, each served by a thread of its own."""

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve while the context is open, then close the server."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    with server:
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def reset(connection: socket.socket) -> None:
    """Make the close of a connection send an RST: that is what a linger of 0 s does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
