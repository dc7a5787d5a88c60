"""The two nodes of `make run`: their data and their environment."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.lifeline import tied
from tools.secret_file import ADMIN_PASSWORD, PEER_PASSWORD, PEOPLE_PASSWORD, REMOTE_PASSWORD

ROOT = Path(__file__).resolve().parent.parent
MIGRATE = ("migrate", "--verbosity=0")
REMOTE_USER = "sync"  # the store's account at the warehouse for one-way REST syncs
LOOPBACK = "127.0.0.0/8,::1"  # the networks of this machine, where both nodes are
# Variables that may be set for another deployment, and must not reach these two.
NOT_INHERITED = {
    "ALLOWED_HOSTS",
    "BACKOFFICE_HTTPS",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "SECRET_REFERENCE_FOLDERS",
    "SECRET_REFERENCE_PREFIXES",
    "SECRET_KEY_FILE",
    ADMIN_PASSWORD,
    PEOPLE_PASSWORD,
}


class RefusedError(Exception):
    """The program can't go on; the message is one line with the reason and the cure."""


class FailedError(RefusedError):
    """A Django command failed with the exit status `status`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node: `name` also begins its cookies' names, `port` is on 127.0.0.1, its processes get only `environment`."""

    name: str
    port: int
    var: Path
    environment: Mapping[str, str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.var / "backoffice.sqlite3"


def var_folder() -> Path:
    """Return the folder of all data, created if it is missing.

    Raises:
        RefusedError: the folder can't be created or written to.
    """
    var = Path(os.environ.get("BACKOFFICE_VAR") or ROOT / "var").resolve()
    for folder in (var, var / "log", var / "remote"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RefusedError(f"{folder} can't be made: {error.strerror}.") from error
        if not os.access(folder, os.W_OK):
            raise RefusedError(f"{folder} can't be written to.")
    return var


def both_nodes(*, var: Path, secret: Mapping[str, str]) -> tuple[Node, Node]:
    """Return the store and the warehouse; in names of folders and variables the warehouse is the `remote` one.

    Args:
        var: the folder of all data.
        secret: the secrets by name, as `secret_file.load` returns them.

    Raises:
        RefusedError: PORT or REMOTE_PORT is not a port, or both are the same.
    """
    port, remote_port = port_number("PORT", "8000"), port_number("REMOTE_PORT", "8001")
    if port == remote_port:
        raise RefusedError(f"PORT and REMOTE_PORT are both {port}; each node needs its own.")

    store = _node(
        secret,
        name="store",
        title="Store",
        color="blue",
        port=port,
        var=var,
        key=secret["SECRET_KEY"],
        **enriched_from(remote_port, secret[REMOTE_PASSWORD]),
    )
    warehouse = _node(
        secret,
        name="warehouse",
        title="Warehouse",
        color="orange",
        port=remote_port,
        var=var / "remote",
        key=secret["REMOTE_SECRET_KEY"],
    )
    return store, warehouse


def _node(
    secret: Mapping[str, str], *, name: str, title: str, color: str, port: int, var: Path, key: str, **more: str
) -> Node:
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    settings = {
        "BACKOFFICE_DOTENV": "",
        "BACKOFFICE_ENV": "development",
        "BACKOFFICE_NODE": name,
        "BACKOFFICE_TITLE": title,
        "BACKOFFICE_COLOR": color,
        "BACKOFFICE_VAR": str(var),
        "PRIVATE_NETWORKS": ",".join(filter(None, (LOOPBACK, os.environ.get("PRIVATE_NETWORKS")))),
        "SECRET_KEY": key,
        REMOTE_PASSWORD: secret[REMOTE_PASSWORD],
        PEER_PASSWORD: secret[PEER_PASSWORD],
        **more,
    }
    return Node(name=name, port=port, var=var, environment=inherited | settings)


def enriched_from(port: int, password: str) -> dict[str, str]:
    """Return the settings that make tasks be enriched with the posts of the node at `port`."""
    credential = base64.b64encode(f"{REMOTE_USER}:{password}".encode()).decode()
    return {
        "TASKS_EXTERNAL_URL": f"http://127.0.0.1:{port}/api/news/posts",
        "TASKS_EXTERNAL_PAGING": "cursor",
        "TASKS_EXTERNAL_AUTHORIZATION": f"Basic {credential}",
    }


def port_number(name: str, default: str) -> int:
    """Return the port that the variable `name` holds.

    Raises:
        RefusedError: the value is not a port.
    """
    text = os.environ.get(name) or default
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise RefusedError(f"{name} is {text!r}; a port is a number from 1 to 65535.")
    return int(text)


def command(*arguments: str) -> list[str]:
    """Return the command line of a Django command."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


class Batch:
    """Django commands that run on a node, one after the other; `environment` is added to the node's."""

    def __init__(self, node: Node, *commands: Sequence[str], **environment: str) -> None:
        self.node = node
        self._process = subprocess.Popen(
            **tied([sys.executable, "-m", "tools.commands", json.dumps(commands)]),
            cwd=ROOT,
            env={**node.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Wait until all commands are done.

        Raises:
            FailedError: a command failed; the message ends with the last line of the output.
        """
        with self._process as process:
            try:
                output, errors = process.communicate()
            except BaseException:  # such as Ctrl-C, which does not reach the commands
                process.kill()
                raise
        if process.returncode:
            line = (errors.strip() or output.strip() or "it said nothing").splitlines()[-1]
            raise FailedError(f"manage.py failed on the node {self.node.name!r}: {line}", process.returncode)


def manage(node: Node, *command: str, **environment: str) -> None:
    """Run a Django command on `node` without its output.

    Raises:
        FailedError: as `Batch.wait`.
    """
    Batch(node, command, **environment).wait()
