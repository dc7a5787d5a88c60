"""A target for the fake peer, and helpers for tests of pushes."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from backoffice.accounts.models import User
from content.orders.models import Order
from syncer.engine.runs import work
from syncer.engine.wake import request_run
from syncer.models import Binding, Replica, Route, Run, Target
from syncer.models.keys import key_of
from syncer.targets.peer.rows import content_of
from tests.peers.fake_peer import FakePeer

MODEL = "orders.Order"
PASSWORD = "a peer signs in with this"
NOON = "2026-01-01T12:00:00+00:00"
MAY = ("push_as_peer", "add_order", "change_order", "delete_order", "view_order", "reopen_order")


def target_for(peer: FakePeer, **columns: Any) -> Target:
    account = User.objects.create_user(f"peer-{peer.node.name}", password=PASSWORD)
    account.user_permissions.set(Permission.objects.filter(codename__in=MAY))
    columns = {"timeout": 5, "peer_user": account} | columns
    target = Target(name=peer.node.name, kind="peer", url=peer.api_url, peer_node=peer.node.name, **columns)
    target.full_clean()
    target.save()
    route = Route(target=target, model=MODEL, trigger="change")
    route.full_clean()
    route.save()
    return target


def order(**values: Any) -> Order:
    return Order.objects.create(**{"product_name": "desk lamp", "quantity": 1} | values)


def binding_of(order: Order) -> Binding:
    return Binding.objects.get(object_key=key_here(order))


def replica(order: Order) -> Replica:
    return Replica.objects.get(object_key=key_here(order))


def key_here(order: Order) -> str:
    """Return an order's key as this database writes it."""
    return key_of(Order, order.pk)


def ours() -> dict[str, dict[str, Any]]:
    """Return our orders in the form in which the fake peer holds its own, by key."""
    route = Route.objects.filter(model=MODEL, target__kind="peer")[:1].get()
    return {str(row.pk): dict(content_of(route, row) or {}) for row in Order.objects.all()}


def sent(peer: FakePeer) -> list[list[str]]:
    """Return the keys in each batch sent to the peer since its journal was cleared; a handshake is an empty batch."""
    return [[item["key"] for item in batch.get("items", [])] for batch in peer.batches]


def hand_in_here(peer: FakePeer, *, keys: list[str] | None = None) -> Any:
    """Send the peer's news as `hand_in` does, but without a server: to the database that this process uses now."""
    pair = base64.b64encode(f"peer-{peer.node.name}:{PASSWORD}".encode()).decode()
    batch = peer.node.news(MODEL, keys=keys)
    answer = Client().post("/api/sync/changes", batch, "application/json", headers={"Authorization": f"Basic {pair}"})
    if answer.status_code == 200:
        peer.node.record_contact(answer.json()["writer"])
        peer.node.note_answer(answer.json())
    return answer


def by_itself(target: Target) -> Run:
    """Make a run that no person started."""
    run, _ = request_run(target=target, trigger=Run.Trigger.CHANGE)
    work(run)
    return run


@contextmanager
def quiet(peer: FakePeer) -> Iterator[None]:
    """Assert that the peer receives no request in this block."""
    before = len(peer.journal)
    yield
    assert [(entry.method, entry.path) for entry in peer.journal[before:]] == []


def hand_in(peer: FakePeer, server: Any, *, keys: list[str] | None = None) -> Any:
    """Let the peer send its news, or all of `keys`, over HTTP, and return the answer."""
    url, user = f"{server.url}/api", f"peer-{peer.node.name}"
    status, answer = peer.push(url, MODEL, user=user, password=PASSWORD, keys=keys)
    assert status == 200, answer
    return answer


def in_thread(work: Callable[..., Any], *args: Any) -> threading.Thread:
    """Run `work` in a thread beside the test, with its own database connection."""

    def worker() -> None:
        try:
            work(*args)
        finally:
            connection.close()

    thread = threading.Thread(target=worker)
    thread.start()
    return thread
