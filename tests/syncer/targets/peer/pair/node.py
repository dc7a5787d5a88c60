"""The other node of a pair for tests: a separate process with its own SQLite database, reached over real HTTP.

Tests read and write its rows directly in its database. It has no worker, so it only answers requests.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from backoffice.web.command import words
from content.orders.models import Order
from tools import servers
from tools.lifeline import tied
from tools.nodes import ROOT
from tools.processes import Processes

NAME = "warehouse"
PASSWORD = "only-for-tests-0123"
COLUMNS = ("id", "product_name", "quantity", "status", "created_at", "updated_at")
SETUP = f"""
from backoffice.accounts.models import User
from django.contrib.auth.models import Permission
from syncer.models import Route, Target
names = ["push_as_peer", "add_order", "change_order", "delete_order", "view_order", "reopen_order",
         "view_bot", "add_bot", "change_bot", "delete_bot"]
user = User.objects.create_user("test", password={PASSWORD!r})
user.user_permissions.set(Permission.objects.filter(codename__in=names))
target = Target(name="store", kind="peer", url="http://127.0.0.1:1/api", auth="basic", auth_user={NAME!r},
                auth_secret="env:SYNC_PEER_PASSWORD", peer_node="test", peer_user=user, timeout=20)
target.full_clean()
target.save()
from syncer.models import mark
for model in ["orders.Order", "messaging.Bot"]:
    route = Route(target=target, model=model)
    route.full_clean()
    route.mark, route.fingerprint = str(mark.take(route.declaration.model)), route.current_fingerprint()
    route.save()
"""


@dataclass(frozen=True, kw_only=True)
class Node:
    """The running node."""

    url: str
    folder: Path
    environment: dict[str, str]

    def manage(self, *words: str, may_fail: bool = False) -> str:
        """Run a command of the node, and return what it prints."""
        done = subprocess.run(
            **tied([sys.executable, "manage.py", *words]),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert may_fail or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, script: str) -> str:
        """Run Python code at the node, and return what it prints."""
        return self.manage("shell", "--no-imports", "-c", script)

    def sql(self, statement: str, *params: object) -> list[Any]:
        with closing(self._database()) as database, database:
            return database.execute(statement, params).fetchall()

    def hold(self, orders: Iterable[Order]) -> None:
        """Insert these orders, without history."""
        places = ", ".join("?" * len(COLUMNS))
        with closing(self._database()) as database, database:
            database.executemany(
                f"INSERT INTO orders_order ({', '.join(COLUMNS)}) VALUES ({places})", map(_row, orders)
            )
            database.execute("DELETE FROM orders_historicalorder")

    def clear(self) -> None:
        """Delete everything but the account and the target."""
        tables = ("orders_order", "orders_historicalorder", "messaging_bot", "messaging_historicalbot")
        engine = ("syncer_attempt", "syncer_run", "syncer_binding", "syncer_replica", "syncer_route")
        with closing(self._database()) as database, database:
            for table in (*tables, *engine):
                database.execute(f"DELETE FROM {table}")
            database.execute(
                "UPDATE syncer_target SET blocked = '', matching = 'authority', opened_at = NULL, failures = 0, "
                "not_before = NULL, peer_writer = '', acknowledged_writer = '', url = 'http://127.0.0.1:1/api'"
            )

    def share(self, model: str = "orders.Order", *, lookup: Sequence[str] = (), matching: str = "authority") -> None:
        """Add a route for a model; it has read all of the history."""
        self.sql("INSERT INTO syncer_route SELECT * FROM routes WHERE model = ?", model)
        self.sql("UPDATE syncer_route SET lookup = ? WHERE model = ?", json.dumps(lookup), model)
        self.sql("UPDATE syncer_target SET matching = ?", matching)

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "backoffice.sqlite3", timeout=20)


def _row(order: Order) -> tuple[Any, ...]:
    times = (_time(order.created_at), _time(order.updated_at or timezone.now()))
    return (order.pk.hex, order.product_name, order.quantity, order.status, *times)


def _time(at: datetime) -> str:
    return str(at.replace(tzinfo=None))


def start(processes: Processes, folder: Path) -> Node:
    """Start a node that has an account and a target for this one."""
    port = str(servers.free_port())
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment.update(
        BACKOFFICE_NODE=NAME, BACKOFFICE_VAR=str(folder), SECRET_KEY="x" * 50, SYNC_PEER_PASSWORD=PASSWORD, PORT=port
    )
    node = Node(url=f"http://127.0.0.1:{port}/api", folder=folder, environment=environment)
    node.manage("migrate", "--verbosity=0")
    node.run(SETUP)
    node.sql("CREATE TABLE routes AS SELECT * FROM syncer_route")
    command = words("--host", "127.0.0.1", "--port", port, "--workers", "1", "--workers-kill-timeout", "3")
    processes.start("the other node", command, environment=environment, folder=ROOT, log=folder / "web.log")
    return node
