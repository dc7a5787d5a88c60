"""A fake warehouse that sends its edits, and the rows that tests of conflicts check."""

from typing import Any
from uuid import UUID

from backoffice.accounts.models import User
from backoffice.kit.context import Cause, caused_by
from content.orders.models import Order
from syncer.core.merge import By, State, edits_from_json
from syncer.models import Binding, Replica, Route, Target
from syncer.models.keys import key_of
from syncer.targets.peer.conflicts import look
from syncer.targets.peer.contact import record_contact
from syncer.targets.peer.inbound.batch import take_in
from syncer.targets.peer.message import Batch, Item
from syncer.targets.peer.rows import content_of
from tests.peers.fake_node import FakeNode

MODEL = "orders.Order"
CONTENT = {
    "product_name": "desk lamp",
    "quantity": 1,
    "status": "PENDING",
    "created_at": "2026-01-01T12:00:00+00:00",
}
PACKER = By(user="packer", reason="counted twice", at="2026-01-02T12:00:00.000+00:00")
MAY = ("view_order", "change_order", "delete_order", "add_order", "reopen_order")


def hand_in(target: Target, node: FakeNode, *keys: str) -> list[str]:
    """Apply a batch of these objects of the node; return the results."""
    items = tuple(
        Item(key=item["key"], state=State(seen=item["seen"], fields=edits_from_json(item["fields"])))
        for item in map(node.item, keys)
    )
    record_contact(target, node.writer)
    route = Route.objects.select_related("target").get(target=target, model=MODEL)
    batch = Batch(node=node.name, writer=node.writer, model=MODEL, items=items)
    return [str(result.result) for result in take_in(target, route, batch, user=target.peer_user)]


def fetch(node: FakeNode, key: str) -> None:
    """Apply an object of ours at the node, as a push does."""
    now = look(replica(key))
    node.take_in([Item(key=key, state=now.replica.state).as_json()])


def replica(key: Any) -> Replica:
    return Replica.objects.get(object_key=key_of(Order, UUID(str(key))))


def binding_of(key: Any) -> Binding:
    return Binding.objects.get(object_key=key_of(Order, UUID(str(key))))


def order(key: str) -> Order:
    return Order.objects.get(pk=key)


def ours(key: str) -> Any:
    """Return the order's shared fields; None if it does not exist."""
    return content_of(Route.objects.get(model=MODEL), Order.objects.filter(pk=key).first())


def edit(key: str, user: User, *, reason: str = "", **values: Any) -> None:
    """Edit an order as a form does."""
    edited = order(key)
    vars(edited).update(values)
    with caused_by(Cause(user=lambda: user, reason=reason)):
        edited.save()
