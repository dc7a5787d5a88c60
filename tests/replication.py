"""Real streaming replication: a primary, and a standby that is promoted when the primary dies."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg2

from tests import postgres
from tests.flows.wait import until
from tests.processes import kill
from tools.servers import free_port

NAME = "standby"  # as the primary's `synchronous_standby_names` has it
RECEIVES = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"


@dataclass
class Server:
    """One PostgreSQL server on loopback."""

    port: int
    process: "subprocess.Popen[bytes] | None" = None  # None: somebody else's

    def ask(self, sql: str, *parameters: object, database: str = "postgres") -> Any:
        """Run a statement in a session of its own; return the first column of its first row."""
        with closing(psycopg2.connect(postgres.address(self.port, name=database))) as session:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute(sql, parameters)
                row = cursor.fetchone() if cursor.description else None
                return row[0] if row else None

    def kill(self) -> None:
        """End the server and its sessions at once, as a power cut would."""
        assert self.process
        pid = self.process.pid
        kill(pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
        self.process.wait()

    def promote(self) -> None:
        """Make the standby the primary; returns when it takes writes."""
        assert self.ask("SELECT pg_promote()")

    def has_replayed(self, primary: "Server") -> bool:
        written = primary.ask("SELECT pg_current_wal_insert_lsn()")
        return cast(bool, self.ask("SELECT pg_last_wal_replay_lsn() >= %s", written))

    def receive_nothing(self) -> None:
        """Cut the standby off; what the primary commits from now on is lost with it."""
        self.ask("ALTER SYSTEM SET primary_conninfo = ''")
        self.ask("SELECT pg_reload_conf()")
        until(lambda: self.ask("SELECT count(*) FROM pg_stat_wal_receiver") == 0)


@contextmanager
def server(**settings: str) -> Iterator[Server]:
    """A primary that loses nothing when it is killed."""
    with postgres.installation() as installed:
        data = installed.folder / "data"
        installed.initialize(data)
        with _running(installed, data, **settings) as primary:
            yield primary


@contextmanager
def standby(primary: Server) -> Iterator[Server]:
    """A standby that has what the primary has, and follows it."""
    with postgres.installation() as installed:
        data = installed.folder / "data"
        installed.copy(primary.port, data, "-R")
        with _running(installed, data, cluster_name=NAME, fsync="off") as server:
            until(lambda: primary.ask(RECEIVES))
            yield server


@contextmanager
def _running(installed: postgres.Installation, data: Path, **settings: str) -> Iterator[Server]:
    port = free_port()
    process = installed.start(data, port, **settings)
    try:
        yield Server(port, process)
    finally:
        if process.poll() is None:
            postgres.stop(process)
