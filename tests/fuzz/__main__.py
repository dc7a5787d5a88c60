"""`make fuzz`: schemathesis against the running server, by what the API's description says; part of `make check`.

A node of its own with sample content, and the Fake API as the external one, on free ports, in a folder that is gone
after. What is checked, and what is not and why, stands in `schemathesis.toml`. `make fuzz SEED=…` repeats a run,
`make fuzz ONLY=/api/news/` tries the paths that match.
"""

import os
import secrets
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import requests

from tests.remote import Remote
from tools import secret_file, servers
from tools.lifeline import tied
from tools.nodes import ROOT, Node, RefusedError, both_nodes, manage
from tools.processes import Processes
from tools.run import say
from tools.secret_file import ADMIN_PASSWORD

CONFIG = Path(__file__).with_name("schemathesis.toml")
RECORDS = [{"id": number, "title": f"Record {number}", "body": "It is theirs."} for number in range(1, 100)]
LOG_LINES = 40  # of the server's, shown where something is wrong


def main() -> int:
    seed = os.environ.get("SEED") or str(secrets.randbelow(2**32))
    with tempfile.TemporaryDirectory(prefix="backoffice-fuzz-") as name, Processes() as processes, Remote() as external:
        external.store.load("posts", RECORDS)
        folder = Path(name)
        try:
            node, token = start(processes, folder, external)
        except RefusedError as refusal:
            sys.exit(str(refusal))
        say(f"Fuzzing {node.address}; `make fuzz SEED={seed}` repeats it …")
        status = fuzz(node, token, seed=seed, folder=folder)
        if status:
            lines = (folder / "web.log").read_text().splitlines()
            say("\n".join(["\nThe server's log ends:", *lines[-LOG_LINES:]]))
    return status


def start(processes: Processes, folder: Path, external: Remote) -> tuple[Node, str]:
    """A node that answers, and the administrator's token.

    Raises:
        RefusedError: it can't be started.
    """
    os.environ["PORT"], os.environ["REMOTE_PORT"] = str(servers.free_port()), str(servers.free_port())
    secret = secret_file.load(folder)
    node, _ = both_nodes(var=folder, secret=secret)
    own = {
        "DJANGO_SETTINGS_MODULE": "tests.fuzz.settings",
        "LOG_LEVEL": "ERROR",
        "TASKS_EXTERNAL_URL": f"{external.url}/posts",
        "TASKS_EXTERNAL_PAGING": "page",
    }
    node = replace(node, environment={**node.environment, **own})
    manage(node, "migrate", "--verbosity=0")
    manage(node, "ensure_admin", **{ADMIN_PASSWORD: secret[ADMIN_PASSWORD]})
    manage(node, "sample_content")
    web = servers.web_server(node)
    processes.start("The web server", web, environment=node.environment, folder=ROOT, log=folder / "web.log")
    servers.wait_until_ready(processes, [node])
    return node, sign_in(node, secret[ADMIN_PASSWORD])


def sign_in(node: Node, password: str) -> str:
    """Raises:
    RefusedError: it answers something else than a token.
    """
    with requests.Session() as session:
        session.trust_env = False  # no proxy reaches this machine's loopback
        body = {"username": "admin", "password": password}
        answer = session.post(f"{node.address}/api/token/", json=body, timeout=10)
    if answer.status_code != 200:
        raise RefusedError(f"Signing in was answered by {answer.status_code}: {answer.text}")
    return str(answer.json()["access"])


def fuzz(node: Node, token: str, *, seed: str, folder: Path) -> int:
    """The exit status: 0, if nothing was found."""
    only = ["--include-path-regex", pattern] if (pattern := os.environ.get("ONLY")) else []
    words = ["run", f"{node.address}/api/openapi.json", "--seed", seed, *only]
    return subprocess.run(
        **tied([Path(sys.executable).parent / "schemathesis", "--config-file", CONFIG, *words]),
        cwd=folder,  # it leaves files where it stands
        env={**os.environ, "TOKEN": token, "NO_PROXY": "127.0.0.1"},
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
