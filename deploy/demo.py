"""`make demo`: the main job without a person, in a folder that is gone after.

1. Two nodes: one that is edited, in this process, and a real web server that plays the remote system.
2. Sample content and the first sync.
3. A day of edits, each with the requests that its net change needs.
4. Sync now; the table of edits against requests sent.
5. Both ends compared, record by record. Exit status 0: they are equal, and every request was needed.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import django

from deploy import secret_file, servers
from deploy.nodes import ROOT, Node, Refused, both_nodes, manage
from deploy.processes import Processes
from deploy.run import SYNC_PERMISSIONS, TARGET, TARGET_PORT, say
from deploy.secret_file import REMOTE_PASSWORD


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="backoffice-demo-") as folder, Processes() as processes:
        try:
            first, remote = scratch_nodes(Path(folder))
            prepare(first, remote, processes, Path(folder))
        except Refused as refusal:
            print(refusal, file=sys.stderr)
            return 1
        os.environ.update(first.environment, DJANGO_SETTINGS_MODULE="backoffice.settings")
        django.setup()
        from deploy.demo_day import run_day

        is_well = run_day(remote_address=remote.address, password=first.environment[REMOTE_PASSWORD])
        say(f"\n{'All well' if is_well else 'NOT WELL'}, in {time.monotonic() - started:.0f} s.")
    return 0 if is_well else 1


def scratch_nodes(folder: Path) -> tuple[Node, Node]:
    """Two nodes whose data is below `folder`, on ports that are free now."""
    os.environ["PORT"], os.environ["REMOTE_PORT"] = servers.free_port(), servers.free_port()
    for var in (folder, folder / "remote"):
        var.mkdir(exist_ok=True)
    return both_nodes(var=folder, secret=secret_file.load(folder))


def prepare(first: Node, remote: Node, processes: Processes, folder: Path) -> None:
    say("Preparing two nodes …")
    for node in (first, remote):
        manage(node, "migrate", "--verbosity=0")
    manage(remote, "ensure_client", "sync", "--password-env", REMOTE_PASSWORD, "--permissions", *SYNC_PERMISSIONS)
    manage(first, "sample_content")
    processes.start(
        "The demo remote",
        servers.web_server(remote),
        environment=remote.environment,
        folder=ROOT,
        log=folder / "remote.log",
    )
    servers.wait_until_ready(processes, [remote])
    described = folder / "demo.toml"
    described.write_text(TARGET.read_text().replace(TARGET_PORT, str(remote.port)))
    manage(first, "sync_configure", str(described))


if __name__ == "__main__":
    sys.exit(main())
