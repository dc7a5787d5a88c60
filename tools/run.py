"""`make run`: two nodes on this machine, a worker each, sample content and the first sync; Ctrl-C ends all of it.

1. Secrets, databases, the administrator on both nodes, the accounts that each signs in with at the other.
2. The first time: sample content.
3. The first time, and when their descriptions changed: the targets.
4. Both web servers and workers, until both nodes answer that they are ready.
5. The first time: the first sync.
6. The box that says where to go, and then waiting.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tools import pair, secret_file, servers
from tools.nodes import Failed, Node, Refused, both_nodes, manage, var_folder
from tools.processes import Processes
from tools.secret_file import ADMIN_PASSWORD

OTHER_PASSWORD = 3  # exit status of `manage.py ensure_admin`


def main() -> int:
    on_signals(signal.default_int_handler)
    try:
        with Processes() as processes:
            try:
                run(processes)
            except KeyboardInterrupt:
                say("\nStopping …")
            finally:
                on_signals(signal.SIG_IGN)  # nothing may keep the processes from being stopped
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{error.filename} can't be written to.", file=sys.stderr)
        return 1
    return 0


def on_signals(handler: "Callable[..., object] | signal.Handlers") -> None:
    """A background process of a shell is started with SIGINT ignored: each one is set."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def run(processes: Processes) -> None:
    """Raises Refused where it can't go on; ends by KeyboardInterrupt."""
    var = var_folder()
    secret = secret_file.load(var)
    store, warehouse = both_nodes(var=var, secret=secret)
    servers.require_free("PORT", store.port)
    servers.require_free("REMOTE_PORT", warehouse.port)
    done = Done(var / "run.json", fresh=not store.database.exists())

    say("Preparing the databases …")
    same_password = [prepare(node, secret) for node in (store, warehouse)]
    pair.make_accounts(store, warehouse)
    if not done["content"]:
        say("Writing sample content …")
        manage(store, "sample_content")
        done["content"] = True
    connect(store, warehouse, done)

    say("Starting the servers …")
    servers.start(processes, store, warehouse, log=var / "log")
    servers.wait_until_ready(processes, [store, warehouse])
    if not done["sync"]:
        say("Syncing for the first time …")
        for target in ("demo", "warehouse"):
            manage(store, "sync_now", target)
        done["sync"] = True
    say(box(store, warehouse, password=secret[ADMIN_PASSWORD] if all(same_password) else None))
    wait(processes)


class Done:
    """What needs doing once, kept in a file; `fresh` forgets it, for the data that it was about is gone."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self.path = path
        self.values: dict[str, object] = {} if fresh or not path.exists() else json.loads(path.read_text())

    def __getitem__(self, name: str) -> object:
        return self.values.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.values[name] = value
        self.path.write_text(json.dumps(self.values))


def prepare(node: Node, secret: Mapping[str, str]) -> bool:
    """Bring the database up to date; true if the administrator signs in with the password that we have."""
    manage(node, "migrate", "--verbosity=0")
    try:
        manage(node, "ensure_admin", **{ADMIN_PASSWORD: secret[ADMIN_PASSWORD]})
    except Failed as failure:
        if failure.status != OTHER_PASSWORD:
            raise
        return False
    return True


def connect(store: Node, warehouse: Node, done: Done) -> None:
    """Describe the nodes to each other, once: what people change later stays."""
    texts = {store.name: pair.description(store, warehouse), warehouse.name: pair.description(warehouse, store)}
    if done["targets"] != texts:
        for node in (store, warehouse):
            pair.configure(node, texts[node.name])
        done["targets"] = texts


def box(store: Node, warehouse: Node, *, password: str | None) -> str:
    lines = [
        f"Store         {store.address}/admin/",
        f"Warehouse     {warehouse.address}/admin/",
        "User name     admin",
        f"Password      {password or 'changed since; `make password` resets it'}",
        "",
        "Both ways: edit an order at either end, and see it at the other a second or two later.",
        f"              {store.address}/admin/orders/order/",
        f"              {warehouse.address}/admin/orders/order/",
        "One way: edit a post at the store, press Sync now, and see it at the warehouse.",
        f"              {store.address}/admin/news/post/",
        f"              {warehouse.address}/admin/news/post/",
        "",
        "Ctrl-C stops everything.",
    ]
    width = max(map(len, lines))
    edge = "─" * (width + 4)
    return "\n".join([f"┌{edge}┐", *(f"│  {line.ljust(width)}  │" for line in lines), f"└{edge}┘"])


def wait(processes: Processes) -> None:
    """Until we are told to stop, or `make` is gone. What ends by itself is named, and the others go on."""
    parent = os.getppid()
    while processes.running:
        time.sleep(0.3)
        for ended in processes.ended():
            say(f"{ended.title} ended (exit status {ended.process.returncode}); its log: {servers.shown(ended.log)}")
        if os.getppid() != parent:
            return
    raise Refused("Nothing is left running.")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
