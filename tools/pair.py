"""Make two nodes a pair: the accounts of each at the other, and its targets, which TOML files describe."""

from tools.nodes import REMOTE_USER, ROOT, Node
from tools.secret_file import PEER_PASSWORD, REMOTE_PASSWORD

USUAL_PORTS = {"store": "8000", "warehouse": "8001"}  # as the files name them
RIGHTS = ("view", "add", "change", "delete")
REST_PERMISSIONS = ["news.set_user_id", *(f"news.{right}_{model}" for model in ("post", "comment") for right in RIGHTS)]
PEER_PERMISSIONS = ["syncer.push_as_peer", "orders.reopen_order", *(f"orders.{right}_order" for right in RIGHTS)]


def accounts(node: Node, other: Node) -> list[list[str]]:
    """Return the commands that create the other's accounts at the node; existing ones keep their permissions."""
    wanted = {other.name: (PEER_PASSWORD, PEER_PERMISSIONS)}
    if node.name == "warehouse":  # the store also syncs to it as to a REST service
        wanted[REMOTE_USER] = (REMOTE_PASSWORD, REST_PERMISSIONS)
    return [
        ["ensure_client", name, "--password-env", password, "--permissions", *permissions]
        for name, (password, permissions) in wanted.items()
    ]


def description(node: Node, other: Node) -> str:
    """Return the node's targets, all at the other node, as TOML."""
    text = (ROOT / "tools" / f"{node.name}.toml").read_text()
    return text.replace(USUAL_PORTS[other.name], str(other.port))


def configure(node: Node, text: str) -> list[str]:
    """Write `text` to the node's folder; return the command that configures its targets by it."""
    file = node.var / "targets.toml"
    file.write_text(text)
    return ["sync_configure", str(file)]
