"""A restored node, this one or the peer, loses nothing, and is distinguished from its former incarnation."""

import pytest

from content.orders.models import Order
from syncer.models import Incarnation
from syncer.targets.peer import identity
from tests.syncer.targets.peer.inbound.batches import LAMP, MODEL, binding_of, live, replica

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def edited(store, lamp):
    """The key of an order edited at both ends, with all edits known at both."""
    Order.objects.filter(pk=lamp).update(status="SHIPPED")
    store.node.edit(lamp, product_name="floor lamp")
    store.results()
    store.takes(lamp)
    assert store.results(lamp) == ["already there"]
    return lamp


def test_a_newer_incarnation_is_not_known_to_have_seen_anything(store, edited):
    before = binding_of(store, edited).wanted
    old = store.node.backup()
    store.node.edit(edited, quantity=9)
    store.results()
    store.node.restore(old)
    assert store.send(store.node.batch()).status_code == 200
    store.target.refresh_from_db()
    assert store.target.peer_writer == store.node.writer
    assert binding_of(store, edited).peer_seen is None
    assert binding_of(store, edited).wanted > before
    store.takes(edited)
    assert store.node.content(edited)["quantity"] == 9


def test_a_message_of_an_older_incarnation_is_merged_and_says_nothing_of_what_the_newer_has_seen(store, edited):
    store.node.edit(edited, quantity=9)
    late = store.node.news(MODEL)
    store.node.reborn()
    store.send(store.node.batch())
    before = binding_of(store, edited).wanted
    answer = store.send(late).json()
    assert answer["items"][0]["result"] == "applied"
    assert live(edited)["quantity"] == 9
    assert binding_of(store, edited).peer_seen is None
    assert binding_of(store, edited).wanted > before
    store.target.refresh_from_db()
    assert store.target.peer_writer == store.node.writer


def test_what_an_older_incarnation_knew_and_changes_no_content_here_is_wanted_at_the_newer_one_too(store, edited):
    store.target.routes.update(authority={"quantity": "warehouse"})
    Order.objects.filter(pk=edited).update(quantity=5)
    store.node.edit(edited, quantity=9)
    late = store.node.news(MODEL)
    store.node.reborn()
    store.send(store.node.batch())
    store.hand_in(edited)  # stamps ours
    before = binding_of(store, edited).wanted
    history = Order.history.count()
    store.send(late)
    assert Order.history.count() == history
    assert binding_of(store, edited).wanted >= before


def test_whoever_knows_more_of_us_than_we_do_makes_us_take_a_new_incarnation(store, edited):
    me = identity.writer()
    held = store.node.held[edited]
    held.state.seen[me] += 3  # what we did before we were put back
    Order.objects.filter(pk=edited).update(quantity=5)
    store.node.edit(edited, product_name="wall lamp")
    assert store.results() == ["merged"]
    assert identity.writer() > me
    assert "does not" in Incarnation.objects.earliest("-number").why
    assert live(edited) == {"product_name": "wall lamp", "quantity": 5, "status": "SHIPPED"}
    assert replica(edited).fields["quantity"][0][:2] == [identity.writer(), 1]
    store.takes(edited)
    assert store.node.content(edited)["quantity"] == 5


def test_an_incarnation_of_ours_that_we_forgot_is_gone_behind_in_one_go(store, edited):
    """Several items know several newer incarnations of this node."""
    me, other = identity.writer(), store.node.create(LAMP)
    later = [f"{me[:-20]}{int(me[-20:-8], 16) + ahead:012x}{'0' * 8}" for ahead in (50_000_000, 90_000_000)]
    for key, writer in zip((edited, other), later, strict=True):
        store.node.held[key].state.seen[writer] = 1
        store.node.edit(key, quantity=9)
    assert set(store.results()) == {"applied"}
    assert identity.writer() > max(later)
    assert Incarnation.objects.count() == 2


def test_an_unknown_older_incarnation_of_ours_is_nothing_special(store, edited):
    me = identity.writer()
    store.node.held[edited].state.seen[f"{me[:-20]}{1:012x}{'0' * 8}"] = 4
    store.node.edit(edited, quantity=9)
    assert store.results() == ["applied"]
    assert identity.writer() == me
