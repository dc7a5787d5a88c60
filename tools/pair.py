"""What makes two nodes a pair: the accounts that each has at the other, and its targets, which TOML files describe."""

from tools.nodes import REMOTE_USER, ROOT, Node, manage
from tools.secret_file import PEER_PASSWORD, REMOTE_PASSWORD

USUAL_PORTS = {"store": "8000", "warehouse": "8001"}  # as the files name them
RIGHTS = ("view", "add", "change", "delete")
REST_PERMISSIONS = ["news.set_user_id", *(f"news.{right}_{model}" for model in ("post", "comment") for right in RIGHTS)]
PEER_PERMISSIONS = ["syncer.speak_as_peer", "orders.reopen_order", *(f"orders.{right}_order" for right in RIGHTS)]


def make_accounts(store: Node, warehouse: Node) -> None:
    """Those that are there keep the permissions that people gave them meanwhile."""

    def account(node: Node, name: str, password: str, permissions: list[str]) -> None:
        manage(node, "ensure_client", name, "--password-env", password, "--permissions", *permissions)

    account(warehouse, REMOTE_USER, REMOTE_PASSWORD, REST_PERMISSIONS)
    account(warehouse, store.name, PEER_PASSWORD, PEER_PERMISSIONS)
    account(store, warehouse.name, PEER_PASSWORD, PEER_PERMISSIONS)


def description(node: Node, other: Node) -> str:
    """The node's targets as TOML; all of them are at the other node."""
    text = (ROOT / "tools" / f"{node.name}.toml").read_text()
    return text.replace(USUAL_PORTS[other.name], str(other.port))


def configure(node: Node, text: str) -> None:
    """Make the node's targets what `text` says."""
    file = node.var / "targets.toml"
    file.write_text(text)
    manage(node, "sync_configure", str(file))
