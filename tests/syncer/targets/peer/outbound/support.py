"""A target for a peer that is played in memory, and what tests of the handing over share."""

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
MAY = ("speak_as_peer", "add_order", "change_order", "delete_order", "view_order", "reopen_order")


def target_for(peer: FakePeer, **columns: Any) -> Target:
    account = User.objects.create_user(f"peer-{peer.node.name}", password=PASSWORD)
    account.user_permissions.set(Permission.objects.filter(codename__in=MAY))
    columns = {"timeout": 5, "allow_private": True, "peer_user": account} | columns
    target = Target(name=peer.node.name, kind="peer", url=peer.api_url, peer_node=peer.node.name, **columns)
    target.full_clean()
    target.save()
    route = Route(target=target, model=MODEL, trigger="change")
    route.full_clean()
    route.save()
    return target


def order(**values: Any) -> Order:
    return Order.objects.create(**{"product_name": "desk lamp", "quantity": 1} | values)


def binding_of(one: Order) -> Binding:
    return Binding.objects.get(object_key=key_here(one))


def replica(one: Order) -> Replica:
    return Replica.objects.get(object_key=key_here(one))


def key_here(one: Order) -> str:
    """As this database writes it."""
    return key_of(Order, one.pk)


def ours() -> dict[str, dict[str, Any]]:
    """Our orders as the peer holds its own, by key."""
    route = Route.objects.filter(model=MODEL, target__kind="peer")[:1].get()
    return {str(one.pk): dict(content_of(route, one) or {}) for one in Order.objects.all()}


def sent(peer: FakePeer) -> list[list[str]]:
    """The keys in each batch that the peer was handed since the journal was cleared; a greeting is an empty one."""
    return [[item["key"] for item in batch.get("items", [])] for batch in peer.batches]


def hand_in_here(peer: FakePeer, *, keys: list[str] | None = None) -> Any:
    """As `hand_in`, without a server: in the database that this process is on now."""
    pair = base64.b64encode(f"peer-{peer.node.name}:{PASSWORD}".encode()).decode()
    batch = peer.node.news(MODEL, keys=keys)
    answer = Client().post("/api/sync/changes", batch, "application/json", headers={"Authorization": f"Basic {pair}"})
    if answer.status_code == 200:
        peer.node.heard(answer.json()["writer"])
        peer.node.heed(answer.json())
    return answer


def by_itself(target: Target) -> Run:
    """A run that nobody asked for."""
    run, _ = request_run(target=target, trigger=Run.Trigger.CHANGE)
    work(run)
    return run


@contextmanager
def quiet(peer: FakePeer) -> Iterator[None]:
    """Not one request comes meanwhile."""
    before = len(peer.journal)
    yield
    assert [(one.method, one.path) for one in peer.journal[before:]] == []


def hand_in(peer: FakePeer, server: Any, *, keys: list[str] | None = None) -> Any:
    """The peer's own news, or all of `keys`, over HTTP; the answer."""
    url, user = f"{server.url}/api", f"peer-{peer.node.name}"
    status, answer = peer.hand_over(url, MODEL, user=user, password=PASSWORD, keys=keys)
    assert status == 200, answer
    return answer


def in_thread(work: Callable[..., Any], *args: Any) -> threading.Thread:
    """Do it beside the test, on a connection of its own."""

    def worker() -> None:
        try:
            work(*args)
        finally:
            connection.close()

    thread = threading.Thread(target=worker)
    thread.start()
    return thread
