"""A fake store that sends its orders to this node, the warehouse, and the rows to check afterwards."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission

from backoffice.accounts.models import User
from content.orders.models import Order
from syncer.core.merge import By
from syncer.models import Binding, Replica, Route, Target
from syncer.models.keys import key_of
from syncer.targets.peer.replicas import wire_key
from tests.content.api_client import ApiClient
from tests.peers.fake_node import FakeNode, ItemResult

MODEL = "orders.Order"
CHANGES = "/api/sync/changes"
NOON = "2026-01-01T12:00:00+00:00"
MAY = ("push_as_peer", "add_order", "change_order", "delete_order", "reopen_order")
LAMP = {"product_name": "desk lamp", "quantity": 2, "status": "PENDING", "created_at": NOON}


def by(user: str, reason: str = "", at: str = NOON) -> By:
    return By(user=user, reason=reason, at=at)


def account(name: str, *may: str) -> User:
    user = User.objects.create_user(f"peer-{name}")
    user.user_permissions.set(Permission.objects.filter(codename__in=may))
    return user


def target_for(name: str, user: User, **columns: Any) -> Target:
    """Make a target for a peer, with a route for orders that no worker delivers."""
    target = Target(name=name, kind="peer", url="http://127.0.0.1:9/api", peer_node=name, peer_user=user, **columns)
    target.full_clean()
    target.save()
    route = Route(target=target, model=MODEL, trigger="manual")
    route.full_clean()
    route.save()
    return target


@dataclass
class Peer:
    """The other node, with its account here.

    Attributes:
        node: its objects.
    """

    node: FakeNode
    target: Target
    client: ApiClient

    @property
    def route(self) -> Route:
        return Route.objects.get(target=self.target, model=MODEL)

    def send(self, body: Any) -> Any:
        return self.client.send("POST", CHANGES, body)

    def hand_in(self, *keys: str) -> list[ItemResult]:
        """Send these objects, or all that this node is not known to have seen; return the results."""
        answer = self.send(self.node.news(MODEL, keys=keys or None))
        assert answer.status_code == 200, answer.content
        self.node.note_answer(answer.json())
        results: list[ItemResult] = answer.json()["items"]
        return results

    def results(self, *keys: str) -> list[str]:
        return [result["result"] for result in self.hand_in(*keys)]

    def takes(self, *keys: str) -> None:
        """Apply these objects of ours at the peer, as if they had been pushed."""
        self.node.take_in([wire(replica(key)) for key in keys])


def peer(name: str, *, may: tuple[str, ...] = MAY, **columns: Any) -> Peer:
    user = account(name, *may)
    return Peer(FakeNode(name), target_for(name, user, **columns), ApiClient(user))


def wire(replica: Replica) -> dict[str, Any]:
    """Return an object of ours as an item."""
    return {"key": wire_key(replica.object_key), "seen": replica.seen, "fields": replica.fields}


# --- rows to check ---------------------------------------------------------------------------------------------------
def live(key: str) -> dict[str, Any]:
    """Return the shared fields of an order."""
    order = Order.objects.get(pk=key)
    return {"product_name": order.product_name, "quantity": order.quantity, "status": order.status}


def replica(key: str) -> Replica:
    return Replica.objects.get(object_key=key_of(Order, key))


def binding_of(at: Peer, key: str) -> Binding:
    return Binding.objects.get(route__target=at.target, object_key=key_of(Order, key))


def versions(key: str) -> list[tuple[str, str, str, str | None]]:
    """Return an order's history, oldest first: type, origin, user at the origin, and reason of each row."""
    rows = Order.history.filter(id=key).order_by("history_id")
    return list(rows.values_list("history_type", "origin", "origin_user", "history_change_reason"))


def everything() -> list[Any]:
    """Return all rows that a batch could change, with all columns."""
    tables: list[Any] = [Order.objects, Order.history, Replica.objects, Binding.objects]
    return [list(table.order_by("pk").values()) for table in tables]
