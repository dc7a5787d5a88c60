"""Start the servers of `make run`, and wait until they are ready."""

import secrets
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from backoffice.web.command import words
from tools.nodes import ROOT, Node, RefusedError, command
from tools.processes import Processes

LISTENING = range(10_000, 32_768)  # from where Linux takes the ports of connections, and most systems from later
READY_SECONDS = 180  # a limit, not an expectation: a start takes two seconds of CPU, on a machine of any load


def require_free(name: str, port: int) -> None:
    """Check that `port`, which the variable `name` gives, can be listened on.

    Raises:
        RefusedError: the port is taken, or reserved for the system.
    """
    with socket.socket() as probe:
        # Otherwise connections that a server closed a moment ago would make the port count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise RefusedError(f"Port {port} is for the system only. Choose another: make run {name}=8080") from None
        except OSError:
            raise RefusedError(f"Port {port} is taken. Choose another: make run {name}={port + 10}") from None


def free_port() -> int:
    """Return a port that no process listens on now, and that the system gives to no connection meanwhile."""
    while True:
        port = secrets.choice(LISTENING)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def start(processes: Processes, store: Node, warehouse: Node, *, log: Path) -> None:
    """Start web servers, and, when they answer, workers.

    Raises:
        RefusedError: see `wait_until_ready`.
    """

    def process(title: str, node: Node, words: list[str], file: str) -> None:
        processes.start(title, words, environment=node.environment, folder=ROOT, log=log / file)

    process("The store's web server", store, web_server(store), "web.log")
    process("The warehouse's web server", warehouse, web_server(warehouse), "remote.log")
    wait_until_ready(processes, [store, warehouse])  # or the first sync that people see is a failed one
    process("The store's worker", store, command("worker"), "worker.log")
    process("The warehouse's worker", warehouse, command("worker"), "remote-worker.log")


def web_server(node: Node) -> list[str]:
    """Return the command of a node's web server.

    A worker of Granian that gets the signal to stop while it starts never stops, hence the limit of 3 s.
    """
    return words("--host", "127.0.0.1", "--port", str(node.port), "--workers", "1", "--workers-kill-timeout", "3")


def wait_until_ready(processes: Processes, nodes: list[Node]) -> None:
    """Wait until every node answers that it is ready.

    Raises:
        RefusedError: a process ended, or a node does not answer within READY_SECONDS.
    """
    until = time.monotonic() + READY_SECONDS
    waiting = list(nodes)
    while waiting:
        for ended in processes.ended():
            raise RefusedError(f"{ended.title} did not start; the reason is in {relative(ended.log)}")
        if time.monotonic() > until:
            raise RefusedError(
                f"{waiting[0].address} does not answer; see {relative(processes.running[0].log.parent)}/"
            )
        time.sleep(0.1)
        waiting = [node for node in waiting if not ready(node)]


def ready(node: Node) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy can't reach this machine's loopback
    try:
        with direct.open(f"{node.address}/health/ready/", timeout=5):
            return True
    except OSError:
        return False


def relative(path: Path) -> str:
    """Return the path relative to the project's folder if it is inside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
