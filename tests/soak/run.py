"""Start a node, let everybody use it, and say what came of it."""

import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path

from tests.flows.pair.node import RealNode, connect
from tests.remote import Remote
from tests.soak import report
from tests.soak.memory import Watch
from tests.soak.users import KINDS, Book
from tools.nodes import ROOT
from tools.run import say

SECONDS = float(os.environ.get("SECONDS", "300"))
SEED = os.environ.get("SEED") or secrets.token_hex(4)
POSTS = 1000
LOGS = ROOT / "var" / "soak"  # kept after a run that was not right
END_SECONDS = 120  # for the last act of everybody


def run(server: str, folder: Path) -> int:
    """Return the exit status: 0, if all is as it must be."""
    with Remote() as remote, started(server, folder, remote.url) as node:
        load = f"{os.getloadavg()[0]:.1f} processes want the {os.cpu_count()} CPUs already"
        say(f"{SECONDS:.0f} seconds of everything at once at {node.address}; SEED={SEED}; {load} …")
        books, watch = use(node)
        logs = {name: node.log(name) for name in ("web", "worker")}
        found = list(report.faults(books, logs, watch, SECONDS))
        requests = f"{len(remote.journal)} requests came to the target."
        say("\n".join([*report.table(books), report.memory(watch, SECONDS), requests]))
    if found:
        shutil.copytree(folder, LOGS, dirs_exist_ok=True, ignore=lambda _, names: [*filter(is_no_log, names)])
        say("\n  ".join([f"Not as it must be; the logs are in {LOGS}:", *found]))
    else:
        say("All is as it must be.")
    return int(bool(found))


def is_no_log(name: str) -> bool:
    return not name.endswith(".log")


@contextmanager
def started(server: str, folder: Path, remote: str) -> Iterator[RealNode]:
    """A node with content and a target, whose web server and worker run."""
    database = f"soak_{os.getpid()}"
    secret = {
        "SOAK_PASSWORD": secrets.token_urlsafe(12),
        "SOAK_KEY": f"bo_{secrets.token_hex(6)}_{secrets.token_hex(32)}",
    }
    with closing(connect(server)) as control, control.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {database}")
        url = f"{server.rpartition('/')[0]}/{database}"
        node = RealNode("soak", database=url, var=folder, secret=secret, worker=())
        try:
            node.manage("migrate", "--verbosity=0")
            assert node.python("tests.soak.prepare", remote, str(POSTS)).wait(60) == 0, node.log("prepare").read_text()
            node.start()
            node.wait_until_ready()
            yield node
        finally:
            node.kill()
            cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def use(node: RealNode) -> tuple[dict[str, Book], Watch]:
    """Let everybody use the node; return how it went, and its memory."""
    users = {
        name: [kind(node.address, dict(node.node.environment), f"{SEED}/{name}/{number}") for number in range(many)]
        for name, (kind, many) in KINDS.items()
    }
    for user in chain(*users.values()):
        user.warm_up()
    books = {name: Book() for name in KINDS}
    until = time.monotonic() + SECONDS
    for name, kind in users.items():
        for user in kind:
            user.book, user.until = books[name], until
    watch = Watch(node.leaders)
    threads = [threading.Thread(target=user.run, daemon=True) for user in chain(*users.values())]
    for thread in (watch, *threads):
        thread.start()
    for thread in threads:
        thread.join(max(0.1, until + END_SECONDS - time.monotonic()))
        if thread.is_alive():
            books["editors"].failures["somebody did not end"] += 1
    watch.over.set()
    return books, watch
