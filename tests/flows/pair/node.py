"""One node of a pair, as it is deployed: a PostgreSQL database, a web server and a worker."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import psycopg2
from psycopg2.extras import RealDictCursor

from tests.chaos.stage import node_environment
from tests.chaos.workers import READY
from tests.flows.wait import until
from tests.processes import sessions
from tools import servers
from tools.lifeline import tied
from tools.nodes import ROOT, Node, manage

NAMES = ("store", "warehouse")
TIMEOUT = 2  # seconds until a request is given up
START_SECONDS = 90  # far more than it takes
GONE_SECONDS = 10  # as above, of processes that were killed
PASSWORD, KEY = "SYNC_PEER_PASSWORD", "SYNC_PEER_KEY"  # of each node's account at the other
Row = dict[str, Any]


class RealNode:
    """Runs from `start` to `stop` or `kill`, any number of times; the database outlives it."""

    def __init__(
        self, name: str, *, database: str, var: Path, secret: Mapping[str, str], worker: Sequence[str]
    ) -> None:
        self.name, self.database, self.var, self._options = name, database, var, worker
        self._running: list[subprocess.Popen[bytes]] = []
        environment = node_environment(name, database, var, BACKOFFICE_WORKERS="1", LOG_LEVEL="INFO", **secret)
        self.node = Node(name=name, port=servers.free_port(), var=var, environment=environment)

    @property
    def address(self) -> str:
        return self.node.address

    def manage(self, *words: str, **environment: str) -> None:
        manage(self.node, *words, **environment)

    def python(self, module: str, *words: str) -> "subprocess.Popen[bytes]":
        """A process with this node's settings; its output goes to a log of its own."""
        return self._spawn([sys.executable, "-m", module, *words], module.rpartition(".")[2])

    def introduce(self, peer: "RealNode", *, address: str, sign_in: str) -> None:
        """Let this node know the other, which it reaches at `address`."""
        status = self.python("tests.flows.pair.introduce", peer.name, address, sign_in).wait(START_SECONDS)
        assert status == 0, self.log("introduce").read_text()

    # --- running -----------------------------------------------------------------------------------------------------
    def start(self) -> None:
        self._said = self.log("worker").stat().st_size if self.log("worker").exists() else 0
        self._running = [
            self._spawn(servers.web_server(self.node), "web"),
            self._spawn([sys.executable, "manage.py", "worker", *self._options], "worker"),
        ]

    @property
    def leaders(self) -> set[int]:
        """The processes of web server and worker that lead the sessions of theirs."""
        return {one.pid for one in self._running}

    def wait_until_ready(self) -> None:
        until(self._is_ready, seconds=START_SECONDS)

    def _is_ready(self) -> bool:
        said = self.log("worker").read_bytes()[self._said :].decode(errors="replace")
        assert all(one.poll() is None for one in self._running), said[-3000:]
        return READY in said and servers.ready(self.node)

    def kill(self) -> None:
        """All of it at once, as a power cut would."""
        ours = self.leaders

        def is_gone() -> bool:
            pids = [pid for pid, session in sessions() if session in ours]
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not pids

        until(is_gone, seconds=GONE_SECONDS)
        for one in self._running:
            one.wait()
        self._running = []

    def log(self, name: str) -> Path:
        return self.var / f"{name}.log"

    def _spawn(self, words: list[str], log: str) -> "subprocess.Popen[bytes]":
        with self.log(log).open("ab") as output:
            return subprocess.Popen(**tied(words), cwd=ROOT, env=self.node.environment, stdout=output, stderr=output)

    # --- what is in the database -------------------------------------------------------------------------------------
    @cached_property
    def _connection(self) -> Any:
        return connect(self.database)

    def rows(self, query: str, *values: Any) -> list[Row]:
        with self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(query, values)
            return [dict(row) for row in cursor]

    def close(self) -> None:
        self.kill()
        self._connection.close()


class Pair(dict[str, RealNode]):
    """Both nodes, by name."""

    def introduce(self, addresses: Mapping[str, str], *, sign_in: str = "password") -> None:
        """Make them peers for orders; `addresses` is where each is reached, by its name."""
        for node, peer in ((self.store, self.warehouse), (self.warehouse, self.store)):
            node.introduce(peer, address=addresses[peer.name], sign_in=sign_in)

    @property
    def store(self) -> RealNode:
        return self["store"]

    @property
    def warehouse(self) -> RealNode:
        return self["warehouse"]

    def start(self) -> None:
        for node in self.values():
            node.start()
        for node in self.values():
            node.wait_until_ready()

    @classmethod
    @contextmanager
    def of(cls, server: str, folder: Path, *, worker: Sequence[str] = ()) -> "Iterator[Self]":
        """Two nodes with empty tables, not running yet, on the PostgreSQL at `server`, a DATABASE_URL.

        Args:
            worker: options of each node's `manage.py worker`.
        """
        secret = {PASSWORD: secrets.token_urlsafe(12), KEY: f"bo_{secrets.token_hex(6)}_{secrets.token_hex(32)}"}
        databases = {name: f"pair_{name}_{os.getpid()}" for name in NAMES}
        pair = cls()
        with closing(connect(server)) as control, control.cursor() as cursor:
            try:
                for name, database in databases.items():
                    template = f" TEMPLATE {databases[NAMES[0]]}" if pair else ""
                    cursor.execute(f"CREATE DATABASE {database}{template}")
                    (folder / name).mkdir()
                    url = f"{server.rpartition('/')[0]}/{database}"
                    var = folder / name
                    pair[name] = RealNode(name, database=url, var=var, secret=secret, worker=worker)
                    if not template:
                        pair[name].manage("migrate", "--verbosity=0")
                yield pair
            finally:
                for node in pair.values():
                    node.close()
                for database in databases.values():
                    cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def connect(url: str) -> Any:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection
