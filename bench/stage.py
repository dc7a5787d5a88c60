"""What a benchmark stands on: databases with content on one PostgreSQL server, and processes with their settings."""

import gc
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from fcntl import LOCK_EX, flock
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2

from backoffice.web.command import words
from tests.chaos.stage import node_environment
from tools.lifeline import tied
from tools.nodes import ROOT
from tools.servers import free_port

PASSWORD = "only-for-this-benchmark"
PLENTY = "1000000/minute"  # of requests: the limit is checked, and never reached
READY_SECONDS = 60
OURS = "bench_ours"  # so begin the names of databases with our tables
RIVAL_SITE = "bench.rivals.site.settings"

# The same rows in our table and in a rival's: `{table}` and `{number}` are filled in.
POSTS = """
    INSERT INTO {table} (user_id, title, body)
    SELECT 1 + n % 1000,
           'Post ' || n || ' about ' || (ARRAY['coffee', 'tea', 'bread', 'cheese', 'apples'])[1 + n % 5],
           repeat('Some words of a post about what we sell. ', 3 + (n % 5)::int) || md5(n::text)
    FROM generate_series({first}, {number}) AS n
"""


class Server:
    """A PostgreSQL server on this machine. Databases that are made once can be copied as often as needed."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self._control = connect(url)
        self._numbers = count(1)
        with self._control.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
        name = Path(f"/proc/{backend}/comm")
        if not name.exists() or not name.read_text().startswith("postgres"):
            raise RuntimeError("The benchmark's PostgreSQL must run on this machine: its CPU time is read from /proc.")

    @property
    def version(self) -> str:
        """That of PostgreSQL, "16.14"."""
        with self._control.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return str(cursor.fetchone()[0]).split()[0]

    def clean(self) -> None:
        """Drop all databases of the benchmarks, also those of a run that was killed."""
        with self._control.cursor() as cursor:
            cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'bench\_%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def address(self, database: str) -> str:
        return f"{self.url.rpartition('/')[0]}/{database}"

    def backends(self, databases: Sequence[str]) -> list[int]:
        """Return the processes of the server that work for one of the databases now."""
        with self._control.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = ANY(%s)", (list(databases),))
            return [pid for (pid,) in cursor.fetchall()]

    def execute(self, statement: str) -> None:
        with self._control.cursor() as cursor:
            cursor.execute(statement)

    @contextmanager
    def copy(self, database: str) -> Iterator[str]:
        """Copy a database for the time of the context; yields the copy's name."""
        name = f"bench_copy_{os.getpid()}_{next(self._numbers)}"
        self._create(name, f" TEMPLATE {database} STRATEGY FILE_COPY")
        try:
            if database.startswith(OURS):
                self._adopt_marks(name, database)
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _adopt_marks(self, name: str, original: str) -> None:
        """Let the marks of a copy, which name the original, name the copy: nothing is sent from there."""
        with self._control.cursor() as cursor:
            cursor.execute("SELECT oid FROM pg_database WHERE datname IN (%s, %s) ORDER BY oid", (name, original))
            old, new = (oid for (oid,) in cursor.fetchall())
        with closing(connect(self.address(name))) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE syncer_route SET mark = replace(mark, %s, %s)", (f"-{old}-", f"-{new}-"))

    def _create(self, name: str, options: str = "") -> None:
        self.execute(f"CREATE DATABASE {name}{options}")
        # Otherwise the CPU time of a large query would be that of several processes, some of which have ended.
        self.execute(f"ALTER DATABASE {name} SET max_parallel_workers_per_gather = 0")

    # --- the databases that are made once ----------------------------------------------------------------------------
    def migrated(self) -> str:
        """Return a database of ours without content, with the accounts `admin` and `editor`."""
        return self._made(OURS, self.environment(OURS), "bench.prepare")

    def filled(self, posts: int) -> str:
        """Return a database of ours with posts and their history, and a target that has planned 8 % of them."""
        name = f"{OURS}_{posts}"
        return self._made(name, self.environment(name), "bench.prepare", str(posts), source=self.migrated())

    def rival(self, posts: int) -> str:
        """Return a database of the rivals with the same posts."""
        name = f"bench_rival_{posts}"
        return self._made(name, self.rival_environment(name), "bench.rivals.site.prepare", str(posts))

    def _made(self, name: str, environment: Mapping[str, str], *words: str, source: str = "template1") -> str:
        """Return the database `name`, made from `source` and filled by `words` where that was not done yet."""
        done = self.folder / f"{name}.done"
        with (self.folder / f"{name}.lock").open("w") as lock:
            flock(lock, LOCK_EX)  # groups may run side by side
            if not done.exists():
                self._create(name, f" TEMPLATE {source}")
                run(words, environment)
                done.touch()
        return name

    # --- processes ---------------------------------------------------------------------------------------------------
    def environment(self, database: str, **more: str) -> dict[str, str]:
        """Return the environment of our processes that use `database`."""
        usual = {
            "ACCESS_TOKEN_SECONDS": "86400",
            "API_RATE": PLENTY,
            "LOG_LEVEL": "WARNING",
            "SECRET_KEY": os.environ["BENCH_SECRET"],
            "REGISTRATION_RATE": PLENTY,
            "SYNC_LEASE_SECONDS": "120",
        }
        return node_environment("store", self.address(database), self.folder, **(usual | more))

    def rival_environment(self, database: str) -> dict[str, str]:
        """Return the environment of the rivals' processes that use `database`."""
        return self.environment(database, DJANGO_SETTINGS_MODULE=RIVAL_SITE)


@contextmanager
def django_inside(server: Server, source: str) -> Iterator[str]:
    """Run Django in this process with a copy of the database `source`; yields the copy's name."""
    with server.copy(source) as database:
        os.environ |= server.environment(database)
        import django

        django.setup()
        gc.collect()
        gc.freeze()  # as our web server and worker do
        yield database


def use(database: str) -> None:
    """Let Django in this process use another of the server's databases from now on."""
    from django.db import connection

    if connection.settings_dict["NAME"] != database:
        connection.close()
        connection.settings_dict["NAME"] = database


def connect(url: str) -> Any:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


def run(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a module of Python to its end: `run(["bench.prepare", "100"], …)`."""
    subprocess.run(**tied([sys.executable, "-m", *words]), cwd=ROOT, env=environment, check=True)


@contextmanager
def running(words: Sequence[str], environment: Mapping[str, str], *, port: int = 0) -> Iterator[int]:
    """Run a module of Python as a server; yields its process number once `port` answers."""
    process = subprocess.Popen(**tied([sys.executable, "-m", *words]), cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + READY_SECONDS
        while port and not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{words[0]} did not start.")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def web(environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Serve a node as it is deployed, by one process; yields its port and its process number."""
    port = free_port()
    options = ["--workers", "1", "--workers-kill-timeout", "3", "--log-level", "warning"]
    _python, _m, *command = words("--port", str(port), *options)
    with running(command, environment, port=port) as pid:
        yield port, pid


@contextmanager
def wsgi(application: str, environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Serve a rival's WSGI application; yields its port and its process number."""
    port = free_port()
    options = ["--workers", "1", "--blocking-threads", "8", "--workers-kill-timeout", "3", "--log-level", "warning"]
    command = ["granian", "--interface", "wsgi", "--port", str(port), *options, application]
    with running(command, environment, port=port) as pid:
        yield port, pid
