import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from backoffice.accounts.models import User
from content.orders.models import Order
from syncer.models import Route, Target, mark
from tests.flows.wait import until
from tests.syncer.targets.peer.pair import node as nodes
from tests.syncer.targets.peer.pair.node import NAME, PASSWORD, Node
from tools.processes import Processes

UP_SECONDS = 60
NAMES = ["push_as_peer", "add_order", "change_order", "delete_order", "view_order", "reopen_order"]


@pytest.fixture(scope="session")
def running(tmp_path_factory) -> Iterator[Node]:
    with Processes() as processes:
        node = nodes.start(processes, tmp_path_factory.mktemp(NAME))
        _wait_for(node, processes)
        yield node


def _wait_for(node: Node, processes: Processes) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def is_up() -> bool:
        assert not processes.ended(), (node.folder / "web.log").read_text()
        try:
            direct.open(node.url.removesuffix("/api") + "/health/ready/", timeout=5).close()
        except OSError:
            return False
        return True

    until(is_up, seconds=UP_SECONDS)


@pytest.fixture
def there(running: Node) -> Node:
    """The other node, empty, without a route."""
    running.clear()
    return running


@pytest.fixture
def account(transactional_db: None) -> User:
    """The account as which the other node signs in here."""
    user = User.objects.create_user(NAME, password=PASSWORD)
    user.user_permissions.set(Permission.objects.filter(codename__in=NAMES))
    return user


@pytest.fixture
def target(there: Node, account: User, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The other node as our target, without a route."""
    monkeypatch.setenv("SYNC_PEER_PASSWORD", PASSWORD)
    target = Target(
        name=NAME,
        kind="peer",
        url=there.url,
        auth=Target.Auth.BASIC,
        auth_user="test",
        auth_secret="env:SYNC_PEER_PASSWORD",
        peer_node=NAME,
        peer_user=account,
        timeout=20,
    )
    target.full_clean()
    target.save()
    return target


@pytest.fixture
def route(target: Target, there: Node) -> Route:
    """A route for orders at both ends; orders made without history are not sent."""
    there.share()
    return share(target)


def share(target: Target, model: str = "orders.Order", **more: Any) -> Route:
    """Make a route of ours that has read all of the history."""
    route = Route(target=target, model=model, **more)
    route.full_clean()
    route.mark, route.fingerprint = str(mark.take(route.declaration.model)), route.current_fingerprint()
    route.save()
    return route


def orders(number: int, *, spread: int = 2**100, first: int = 1) -> list[Order]:
    """Make orders whose keys are `spread` apart, not saved."""
    now = timezone.now()
    return [
        Order(
            id=UUID(int=(first + place) * spread),
            product_name="Lamp",
            quantity=1 + place % 9,
            created_at=now,
            updated_at=now,
        )
        for place in range(number)
    ]


def hold(orders: list[Order]) -> None:
    """Insert these orders here, as if their history had long been read and pruned."""
    Order.objects.bulk_create(orders, batch_size=10_000)
    Order.history.all().delete()
