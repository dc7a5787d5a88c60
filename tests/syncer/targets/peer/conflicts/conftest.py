import pytest
from django.contrib.auth.models import Permission

from backoffice.accounts.models import User
from syncer.models import Route, Target
from tests.peers.fake_node import FakeNode
from tests.syncer.targets.peer.conflicts.support import CONTENT, MAY, MODEL, PACKER, edit, hand_in, order


def person(name: str, *codenames: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def warehouse(settings, transactional_db) -> Target:
    """This node is the store; a person decides conflicts of quantities and deletes."""
    settings.NODE = "store"
    account = person("peer-warehouse", "push_as_peer", *MAY)
    target = Target(name="warehouse", kind="peer", url="http://127.0.0.1:9", peer_node="warehouse", peer_user=account)
    target.full_clean()
    target.save()
    route = Route(target=target, model=MODEL, trigger="change", authority={"quantity": "ask", "exists": "ask"})
    route.full_clean()
    route.save()
    return target


@pytest.fixture
def node() -> FakeNode:
    """The warehouse's node."""
    return FakeNode("warehouse")


@pytest.fixture
def editor() -> User:
    """A user at the store with permissions for orders, and none for the sync."""
    return person("editor", *MAY)


@pytest.fixture
def shared(warehouse, node):
    """The key of an order that both nodes have."""
    key = node.create(CONTENT)
    assert hand_in(warehouse, node, key) == ["applied"]
    return key


@pytest.fixture
def contested(warehouse, node, shared, editor):
    """The key of an order with a conflict: the store changed the quantity from 1 to 2, the warehouse to 3."""
    edit(shared, editor, reason="by phone", quantity=2)
    node.edit(shared, quantity=3, by=PACKER)
    assert hand_in(warehouse, node, shared) == ["conflict"]
    return shared


@pytest.fixture
def deleted_here(warehouse, node, shared, editor):
    """The key of an order that the store deleted and the warehouse edited."""
    order(shared).delete()
    node.edit(shared, quantity=3, by=PACKER)
    assert hand_in(warehouse, node, shared) == ["conflict"]
    return shared


@pytest.fixture
def invalid(shared, node, warehouse, editor):
    """The key of an order that the store renamed, and whose quantity the warehouse set to 0, valid only there."""
    edit(shared, editor, product_name="lamp")
    node.edit(shared, quantity=0)
    assert hand_in(warehouse, node, shared) == ["conflict"]
    return shared
