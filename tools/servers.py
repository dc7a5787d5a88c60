"""The servers of `make run`, and when they are up."""

import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tools.nodes import ROOT, Node, RefusedError, command
from tools.processes import Processes

READY_SECONDS = 180  # an end, not an expectation: two seconds of CPU a process, on however busy a machine


def require_free(name: str, port: int) -> None:
    """Raises RefusedError if `port`, which the variable `name` gives, can't be listened on."""
    with socket.socket() as probe:
        # Without it, connections that a server closed a moment ago would count as a taken port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise RefusedError(f"Port {port} is for the system only. Choose another: make run {name}=8080") from None
        except OSError:
            raise RefusedError(f"Port {port} is taken. Choose another: make run {name}={port + 10}") from None


def free_port() -> str:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def start(processes: Processes, store: Node, warehouse: Node, *, log: Path) -> None:
    def process(title: str, node: Node, words: list[str], file: str) -> None:
        processes.start(title, words, environment=node.environment, folder=ROOT, log=log / file)

    process("The store's web server", store, web_server(store), "web.log")
    process("The store's worker", store, command("worker"), "worker.log")
    process("The warehouse's web server", warehouse, web_server(warehouse), "remote.log")
    process("The warehouse's worker", warehouse, command("worker"), "remote-worker.log")


def web_server(node: Node) -> list[str]:
    """Granian's own number of threads is 512, each with a database connection; SQLite has one writer.

    A Granian worker that is told to stop while it starts never does, hence the limit of 3 s.
    """
    options = {
        "interface": "wsgi",
        "host": "127.0.0.1",
        "port": str(node.port),
        "workers": "1",
        "blocking-threads": "8",
        "workers-kill-timeout": "3",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "granian", *words, "backoffice.wsgi:application"]


def wait_until_ready(processes: Processes, nodes: list[Node]) -> None:
    """Raises RefusedError if a process ends, or a node does not answer in time."""
    until = time.monotonic() + READY_SECONDS
    waiting = list(nodes)
    while waiting:
        for ended in processes.ended():
            raise RefusedError(f"{ended.title} did not start; the reason is in {shown(ended.log)}")
        if time.monotonic() > until:
            raise RefusedError(f"{waiting[0].address} does not answer; see {shown(processes.running[0].log.parent)}/")
        time.sleep(0.1)
        waiting = [node for node in waiting if not ready(node)]


def ready(node: Node) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy reaches this machine's loopback
    try:
        with direct.open(f"{node.address}/health/ready/", timeout=5):
            return True
    except OSError:
        return False


def shown(path: Path) -> str:
    """The path as people type it here."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
