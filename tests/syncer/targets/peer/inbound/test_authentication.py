"""Which accounts may send batches, and which messages are valid. Every answer is a well-formed one."""

import json
from uuid import uuid4

import pytest
import requests
from django.contrib.auth.models import Permission

from backoffice.accounts.models import User
from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.models import Incarnation, Replica, Route
from tests.content.api_client import ApiClient, errors
from tests.peers.fake_node import FakeNode
from tests.syncer.backups import backup, restored
from tests.syncer.targets.peer.inbound.batches import CHANGES, LAMP, MODEL, account, everything, live, peer

pytestmark = pytest.mark.django_db(transaction=True)
DIGITS = "018f00000001" + "0" * 8


def refused(store, answer, status):
    """Assert that nothing was written, and return the problem's text."""
    assert answer.status_code == status, answer.content
    assert not Order.objects.exists()
    assert not Replica.objects.exists()
    errors(answer)
    return answer.json()["detail"]


def made(store, **changes):
    """Make a batch of one new order, with some of its parts replaced."""
    key = store.node.create(LAMP)
    batch = store.node.batch(MODEL, [store.node.item(key)])
    return batch | changes


def item(store, **changes):
    """Make a batch as `made` does, with some parts of its item replaced."""
    batch = made(store)
    return batch | {"items": [batch["items"][0] | changes]}


# --- who -------------------------------------------------------------------------------------------------------------
def test_over_http_with_name_and_password(store, live_server):
    store.target.peer_user.set_password("a peer signs in with this")
    store.target.peer_user.save()
    batch = made(store)
    answer = requests.post(
        f"{live_server.url}{CHANGES}", json=batch, auth=("peer-store", "a peer signs in with this"), timeout=10
    )
    assert answer.status_code == 200
    assert answer.json()["node"] == "warehouse"
    assert answer.json()["writer"] == Incarnation.objects.get().writer
    assert answer.json()["items"][0]["result"] == "applied"


def test_without_the_permission_nobody_acts_as_a_peer(store):
    store.target.peer_user.user_permissions.remove(Permission.objects.get(codename="push_as_peer"))
    assert "syncer.push_as_peer" in refused(store, store.send(made(store)), 403)


def test_another_account_does_not_speak_for_the_peer(store):
    store.client = ApiClient(account("forger", "push_as_peer", "add_order"))
    assert "may not act for 'store'" in refused(store, store.send(made(store)), 403)


def test_a_node_that_is_not_our_peer_is_told_what_to_do(store):
    node = FakeNode("shop")
    key = node.create(LAMP)
    assert "add a target" in refused(store, store.send(node.batch(MODEL, [node.item(key)])), 409)


@pytest.mark.parametrize("change", [{"enabled": False}, {"model": "news.Post"}], ids=["paused", "another model"])
def test_without_a_route_the_peer_is_told_what_to_do(store, change):
    Route.objects.update(**change)
    assert "add one" in refused(store, store.send(made(store)), 409)


def test_a_peer_that_was_switched_off_here_is_asked_to_come_again(store):
    store.target.enabled = False
    store.target.save()
    answer = store.send(made(store))
    assert "paused" in refused(store, answer, 503)
    assert int(answer["Retry-After"]) > 0


def test_a_restored_database_takes_nothing_in_before_somebody_said_so(store, lamp):
    run_here(store.target)
    store.node.edit(lamp, quantity=9)
    with backup() as name, restored(name):
        before = everything()
        answer = store.send(store.node.news(MODEL))
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert "sync_recover" in answer.json()["detail"]
        assert everything() == before
    assert store.results() == ["applied"]


# --- what they may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", ["add", "change", "delete"])
def test_the_account_needs_the_models_own_permissions(store, lamp, verb):
    store.client = ApiClient(User.objects.get(pk=store.target.peer_user_id))
    permission = Permission.objects.get(codename=f"{verb}_order")
    store.target.peer_user.user_permissions.remove(permission)
    if verb == "add":
        store.node.create(LAMP)
    elif verb == "change":
        store.node.edit(lamp, quantity=3)
    else:
        store.node.delete(lamp)
    before = everything()
    (result,) = store.hand_in()
    assert result["result"] == "refused"
    assert result["fields"] == {"": [f"peer-store needs the permission orders.{verb}_order to {verb} orders."]}
    assert "seen" not in result
    orders, history, _, bindings = everything()
    assert [orders, history, bindings] == [before[0], before[1], before[3]]
    store.target.peer_user.user_permissions.add(permission)
    assert store.results() == ["applied"]


def test_setting_an_order_back_needs_its_own_permission(store, lamp):
    store.node.edit(lamp, status="DELIVERED")
    store.results()
    store.target.peer_user.user_permissions.remove(Permission.objects.get(codename="reopen_order"))
    store.node.edit(lamp, status="PENDING")
    (result,) = store.hand_in()
    assert (result["result"], list(result["fields"])) == ("refused", ["status"])
    says = "peer-store needs the permission orders.reopen_order to set the status to “PENDING” instead of “DELIVERED”."
    assert result["fields"]["status"] == [says]
    assert live(lamp)["status"] == "DELIVERED"


# --- shapes ----------------------------------------------------------------------------------------------------------
def edits(*all_):
    return {"exists": [["store:" + DIGITS, 1, True, "", "", ""]], "quantity": list(all_)}


GOOD = ["store:" + DIGITS, 1, 5, "", "", ""]
SEEN = {"store:" + DIGITS: 1}
BAD_ITEMS = {
    "a key that is no UUID": {"key": "7"},
    "no key": {"key": None},
    "more than there is": {"more": 1},
    "nothing seen": {"seen": {}},
    "seen as a list": {"seen": ["store:" + DIGITS]},
    "seen of nobody": {"seen": {"": 1}},
    "a number as text": {"seen": {"store:" + DIGITS: "many"}},
    "number 0": {"seen": {"store:" + DIGITS: 0}},
    "a number below 0": {"seen": {"store:" + DIGITS: -1}},
    "a huge number": {"seen": {"store:" + DIGITS: 2**53}},
    "a number beyond 64 bits": {"seen": {"store:" + DIGITS: 10**30}},
    "a fraction": {"seen": {"store:" + DIGITS: 1.5}},
    "fields as a list": {"fields": []},
    "an edit that is none": {"seen": SEEN, "fields": edits(["store"])},
    "an edit too long": {"seen": SEEN, "fields": edits([*GOOD, ""])},
    "a name of no field": {"seen": SEEN, "fields": edits(GOOD) | {"a\0b": [GOOD]}},
    "a long name": {"seen": SEEN, "fields": edits(GOOD) | {"x" * 65: [GOOD]}},
    "a writer that is none": {"seen": SEEN, "fields": edits(["store", 1, 5, "", "", ""])},
}


@pytest.mark.parametrize("bad", BAD_ITEMS.values(), ids=BAD_ITEMS)
def test_an_item_of_another_shape_refuses_the_message(store, bad):
    answer = store.send(item(store, **bad))
    refused(store, answer, 422)
    assert not Incarnation.objects.filter(number__gt=1).exists()


UNTRUE_ITEMS = {
    "no word of whether it exists": {"seen": SEEN, "fields": {"quantity": [GOOD]}},
    "a text of whether it exists": {"seen": SEEN, "fields": {"exists": [["store:" + DIGITS, 1, "yes", "", "", ""]]}},
    "an edit of a number above its own seen": {"seen": SEEN, "fields": edits(["store:" + DIGITS, 2, 5, "", "", ""])},
    "an edit that its own seen lacks": {"seen": SEEN, "fields": edits(["shop:" + DIGITS, 1, 5, "", "", ""])},
    "one number twice": {"seen": SEEN, "fields": edits(GOOD, ["store:" + DIGITS, 1, 6, "", "", ""])},
    "an incarnation that we never were": {"seen": SEEN | {"warehouse:1": 1}, "fields": edits(GOOD)},
    "the last of our incarnations": {"seen": SEEN | {"warehouse:" + "f" * 20: 1}, "fields": edits(GOOD)},
    "many edits of one writer": {
        "seen": {"store:" + DIGITS: 99},
        "fields": edits(*[["store:" + DIGITS, number, 5, "", "", ""] for number in range(1, 66)]),
    },
    "an incarnation of another node in a far future": {"seen": SEEN | {"third:" + "f" * 20: 1}, "fields": edits(GOOD)},
}


@pytest.mark.parametrize("bad", UNTRUE_ITEMS.values(), ids=UNTRUE_ITEMS)
def test_an_item_that_can_not_be_true_is_refused_and_spoils_no_other(store, bad):
    """The edit may be another node's, with which the sender has no contact."""
    good = store.node.create(LAMP)
    batch = item(store, **bad)
    answer = store.send(batch | {"items": [*batch["items"], store.node.item(good)]})
    assert [result["result"] for result in answer.json()["items"]] == ["refused", "applied"]
    assert "seen" not in answer.json()["items"][0]
    assert Order.objects.count() == 1
    assert not Incarnation.objects.filter(number__gt=1).exists()


BAD_BATCHES = {
    "a writer of another node": {"writer": "shop:" + DIGITS},
    "no incarnation": {"writer": "store"},
    "an incarnation after which there is none": {"writer": "store:" + "f" * 20},
    "no node": {"node": ""},
    "a node as a list": {"node": ["store"]},
    "items as an object": {"items": {}},
    "an item as a text": {"items": ["x"]},
    "more than there is": {"more": 1},
    "a model as a number": {"model": 7},
    "a long model": {"model": "x" * 65},
    "a model that is no text": {"model": "a\0b"},
}


@pytest.mark.parametrize("bad", BAD_BATCHES.values(), ids=BAD_BATCHES)
def test_a_message_of_another_shape_is_refused(store, bad):
    refused(store, store.send(made(store, **bad)), 422)


@pytest.mark.parametrize("model", ["", "no.Model", "orders.order"])
def test_a_model_that_is_not_shared_is_refused(store, model):
    refused(store, store.send(made(store, model=model)), 409)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"7", b"{", b'{"node": NaN}', b"\xff", b'"' + b"[" * 9000], ids=lambda body: body[:9]
)
def test_a_body_that_is_not_an_object_is_refused(store, body):
    answer = store.send(body)
    assert answer.status_code in (400, 422), answer.content
    errors(answer)


def test_half_a_character_is_refused(store):
    body = json.dumps(made(store)).replace("desk lamp", "\\ud800").encode()
    refused(store, store.send(body), 400)


def test_one_object_twice_in_a_batch_refuses_the_message(store):
    batch = made(store)
    answer = store.send(batch | {"items": batch["items"] * 2})
    assert "appears twice" in refused(store, answer, 422)
    same = batch["items"][0]["key"]
    twice = [batch["items"][0], batch["items"][0] | {"key": same.replace("-", "").upper()}]
    assert "appears twice" in refused(store, store.send(batch | {"items": twice}), 422)


def test_more_than_500_items_are_refused(store):
    batch = made(store)
    refused(store, store.send(batch | {"items": [{**batch["items"][0], "key": str(uuid4())}] * 501}), 422)


def test_a_body_that_is_too_large_is_refused_as_such(store):
    batch = item(store)
    batch["items"][0]["fields"]["product_name"][0][2] = "x" * 3_000_000
    assert "too large" in refused(store, store.send(batch), 413)


def test_fields_that_are_not_known_here_are_kept_and_touch_nothing(store):
    key = store.node.create(LAMP | {"color": "red", "updated_at": "never", "pk": 7, "id": "x"})
    assert store.results() == ["applied"]
    assert live(key)["quantity"] == 2
    fields = Replica.objects.get().fields
    assert fields["color"][0][2] == "red"
    assert store.results(key) == ["already there"]
    store.node.edit(key, color="blue")
    assert store.results() == ["applied"]
    assert Replica.objects.get().fields["color"][0][2] == "blue"
    assert Order.history.count() == 1


def test_whoever_only_says_who_it_is_needs_no_route(store):
    Route.objects.all().delete()
    answer = store.send(store.node.batch())
    assert answer.status_code == 200
    assert answer.json()["items"] == []
    store.target.refresh_from_db()
    assert store.target.peer_writer == store.node.writer
    assert store.target.contact_at


def test_a_repeated_idempotency_key_gets_the_first_answer(store):
    batch = made(store)
    headers = {"Idempotency-Key": str(uuid4())}
    body = json.dumps(batch)
    answers = [store.client.post(CHANGES, body, content_type="application/json", headers=headers) for _ in range(2)]
    assert [answer.json()["items"][0]["result"] for answer in answers] == ["applied", "applied"]


def test_the_first_edit_of_a_number_stands(store, lamp):
    """A node with an undetected restore gives out a number twice; no edit is left out because of that."""
    forged = store.node.item(lamp)
    forged["fields"]["quantity"][0][2], forged["fields"]["exists"][0][2] = 5, False
    assert store.send(store.node.batch(MODEL, [forged])).json()["items"][0]["result"] == "already there"
    assert live(lamp)["quantity"] == 2


def test_a_peer_in_disguise_is_told_from_the_real_one(store, settings):
    """Each of two peers has an account, which may not act for the other."""
    shop = peer("shop")
    batch = made(store)
    assert shop.send(batch).status_code == 403
    assert store.send(batch).status_code == 200
