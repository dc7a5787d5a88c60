"""`make demo`: do the main job without a person, in a temporary folder.

1. Two nodes, the store and the warehouse, each with a real web server; the store's worker is this process.
2. One way: sample content and the first sync of news, a day of edits, each with the requests that its net change needs,
   sync now, and the table of edits against requests sent.
3. Both ways: orders edited at both ends, a conflict and its decision, and the table of edits against orders sent.
4. After each, both ends are compared record by record. Exit status 0: they are equal, and every request was needed.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import django

from tools import pair, secret_file, servers
from tools.nodes import MIGRATE, ROOT, Batch, Node, RefusedError, both_nodes
from tools.processes import Processes
from tools.run import say
from tools.secret_file import REMOTE_PASSWORD

EDITOR = "editor"  # the account that edits at the warehouse
ASKED = 'authority = { product_name = "ask" }\n'  # added to the route at the end of both files


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="backoffice-demo-") as folder, Processes() as processes:
        try:
            store, warehouse = scratch_nodes(Path(folder))
            prepare(store, warehouse, processes, Path(folder))
        except RefusedError as refusal:
            print(refusal, file=sys.stderr)
            return 1
        os.environ.update(store.environment, DJANGO_SETTINGS_MODULE="backoffice.settings", LOG_LEVEL="WARNING")
        django.setup()
        from tools.demo_day import run_day
        from tools.demo_pair import run_pair

        password = store.environment[REMOTE_PASSWORD]
        is_healthy = run_day(remote_address=warehouse.address, password=password)
        is_healthy &= run_pair(warehouse=warehouse, user=EDITOR, password=password)
        say(f"\n{'All well' if is_healthy else 'NOT WELL'}, in {time.monotonic() - started:.0f} s.")
    return 0 if is_healthy else 1


def scratch_nodes(folder: Path) -> tuple[Node, Node]:
    """Return two nodes with their data below `folder`, on ports that are free now."""
    os.environ["PORT"], os.environ["REMOTE_PORT"] = str(servers.free_port()), str(servers.free_port())
    for var in (folder, folder / "remote"):
        var.mkdir(exist_ok=True)
    return both_nodes(var=folder, secret=secret_file.load(folder))


def prepare(store: Node, warehouse: Node, processes: Processes, folder: Path) -> None:
    """Fill both nodes, configure their targets, and start their web servers.

    Raises:
        RefusedError: a step failed.
    """
    say("Preparing two nodes …")
    rights = pair.PEER_PERMISSIONS
    editor = ["ensure_client", EDITOR, "--password-env", REMOTE_PASSWORD, "--permissions", *rights]
    more = {store.name: ["sample_content"], warehouse.name: editor}
    batches = []
    for node, other in ((store, warehouse), (warehouse, store)):
        targets = pair.configure(node, pair.description(node, other) + ASKED)
        batches.append(Batch(node, MIGRATE, *pair.accounts(node, other), more[node.name], targets))
    for batch in batches:
        batch.wait()
    for node in (store, warehouse):
        processes.start(
            f"The {node.name}",
            servers.web_server(node),
            environment=node.environment,
            folder=ROOT,
            log=folder / f"{node.name}.log",
        )
    servers.wait_until_ready(processes, [store, warehouse])


if __name__ == "__main__":
    sys.exit(main())
