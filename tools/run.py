"""`make run`: two nodes on this machine, a worker each, sample content and the first sync; Ctrl-C stops everything.

1. Create the secrets. On both nodes in parallel, migrate the database and create the administrator and the accounts
   that each has at the other; the first time, create an account for each role and write sample content; the first
   time, and whenever their descriptions changed, configure the targets.
2. Start both web servers, wait until both nodes are ready, and start a worker of each.
3. The first time, sync.
4. Print the box with the addresses, and wait.

The program ends with `make`, and everything that it started ends with it, also by `kill -9`: see `lifeline.py`.
"""

import json
import os
import select
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tools import pair, secret_file, servers
from tools.nodes import MIGRATE, Batch, FailedError, Node, RefusedError, both_nodes, var_folder
from tools.processes import Processes
from tools.secret_file import ADMIN_PASSWORD, PEOPLE_PASSWORD

OTHER_PASSWORD = 3  # exit status of `manage.py ensure_admin`
LOOK = 0.3  # seconds between two checks for processes that ended


def main() -> int:
    on_signals(signal.default_int_handler)
    threading.Thread(target=end_with_starter, daemon=True).start()
    try:
        with Processes() as processes:
            try:
                run(processes)
            except KeyboardInterrupt:
                say("\nStopping …")
            finally:
                on_signals(signal.SIG_IGN)  # a second signal must not interrupt the stopping of the processes
    except RefusedError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{error.filename} can't be written to.", file=sys.stderr)
        return 1
    return 0


def on_signals(handler: "Callable[..., object] | signal.Handlers") -> None:
    """Set the handler of every signal that ends us; a shell starts background processes with SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def run(processes: Processes) -> None:
    """Do the steps of `make run`; end by KeyboardInterrupt.

    Raises:
        RefusedError: a step failed.
    """
    var = var_folder()
    secret = secret_file.load(var)
    store, warehouse = both_nodes(var=var, secret=secret)
    servers.require_free("PORT", store.port)
    servers.require_free("REMOTE_PORT", warehouse.port)
    done = Done(var / "run.json", fresh=not store.database.exists())

    say("Preparing the databases …")
    if not done["content"]:
        say("Writing sample content …")
    same_password = prepare(store, warehouse, secret, done)

    say("Starting the servers …")
    servers.start(processes, store, warehouse, log=var / "log")
    if not done["sync"]:
        say("Syncing for the first time …")
        Batch(store, ["sync_now", "demo"], ["sync_now", "warehouse"]).wait()
        done["sync"] = True
    passwords = secret[ADMIN_PASSWORD] if same_password else None, secret[PEOPLE_PASSWORD]
    say(box(store, warehouse, *passwords))
    wait(processes)


class Done:
    """A record, in a file, of the steps that are done only once; `fresh` drops it, as the data is new."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self.path = path
        self.values: dict[str, object] = {} if fresh or not path.exists() else json.loads(path.read_text())

    def __getitem__(self, name: str) -> object:
        return self.values.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.values[name] = value
        self.path.write_text(json.dumps(self.values))


def prepare(store: Node, warehouse: Node, secret: Mapping[str, str], done: Done) -> bool:
    """Bring both nodes up to date; return whether the administrator has our password on both.

    Content is written, and the targets are configured, only once: later changes by people stay.
    """
    texts = {store.name: pair.description(store, warehouse), warehouse.name: pair.description(warehouse, store)}
    batches = []
    for node, other in ((store, warehouse), (warehouse, store)):
        commands = [MIGRATE, ["ensure_admin"], *pair.accounts(node, other)]
        if not done["people"]:
            commands.append(["ensure_people"])
        if node is store and not done["content"]:
            commands.append(["sample_content"])
        if done["targets"] != texts:
            commands.append(pair.configure(node, texts[node.name]))
        batches.append(Batch(node, *commands, **{name: secret[name] for name in (ADMIN_PASSWORD, PEOPLE_PASSWORD)}))
    same_password = [has_our_password(batch) for batch in batches]
    done["content"] = done["people"] = True
    done["targets"] = texts
    return all(same_password)


def has_our_password(batch: Batch) -> bool:
    """Wait until the batch is done; return whether the administrator has our password."""
    try:
        batch.wait()
    except FailedError as failure:
        if failure.status != OTHER_PASSWORD:
            raise
        return False
    return True


def box(store: Node, warehouse: Node, password: str | None, people_password: str) -> str:
    lines = [
        f"Store         {store.address}/admin/",
        f"Warehouse     {warehouse.address}/admin/",
        "User name     admin",
        f"Password      {password or 'changed since; `make password` resets it'}",
        f"Other roles   viewer, editor, importer, operator; password {people_password}",
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
    """Wait until a signal stops us. A process that ends early is named, and the others keep running."""
    while processes.running:
        time.sleep(LOOK)
        for ended in processes.ended():
            say(f"{ended.title} ended (exit status {ended.process.returncode}); its log: {servers.relative(ended.log)}")
    raise RefusedError("Nothing is left running.")


def end_with_starter() -> None:
    """Stop everything, as Ctrl-C does, once `make` or the reader of our output's pipe is gone."""
    parent, reader = os.getppid(), select.poll()
    if stat.S_ISFIFO(os.fstat(1).st_mode):
        reader.register(1, 0)  # reports only that the other end is closed
    while os.getppid() == parent and not reader.poll(LOOK * 1000):
        pass
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def say(text: str) -> None:
    """Write a line without a buffer: Python would flush it again at its end, and exit with status 120 on failure."""
    with suppress(BrokenPipeError):  # the reader is gone, which `end_with_starter` notices too
        os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
