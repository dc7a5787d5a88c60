"""Peers in a configuration file: what it may say of them, and what is refused."""

import json

import pytest
from django.core.management import call_command

from backoffice.accounts.models import User
from syncer.configure import configure
from syncer.models import Route, Target
from tests.syncer import test_configure
from tests.syncer.test_configure import faults, outcomes

pytestmark = pytest.mark.django_db

PEER = """\
[targets.warehouse]
kind = "peer"
url = "http://127.0.0.1:8001/api"
peer = { node = "warehouse", user = "warehouse", matching = "ask" }
"""
ORDERS = """\
[[targets.warehouse.routes]]
model = "orders.Order"
trigger = "change"
natural_key = ["product_name", "created_at"]
authority = { quantity = "store", exists = "ask" }
"""
SECOND = """\
[targets.spoke]
kind = "peer"
url = "http://127.0.0.1:8002/api"
peer = { node = "spoke", user = "spoke" }
[[targets.spoke.routes]]
model = "orders.Order"
"""


@pytest.fixture(autouse=True)
def accounts(settings):
    settings.NODE = "store"
    return [User.objects.create_user(name) for name in ("warehouse", "spoke")]


file = test_configure.write  # a fixture


def test_a_peer_and_its_route_become_what_the_file_says(file):
    report = configure(file(PEER + ORDERS))
    assert outcomes(report) == [(None, "created"), ("orders.Order", "created")]
    target, route = Target.objects.get(), Route.objects.get()
    assert (target.kind, target.peer_node, str(target.peer_user)) == ("peer", "warehouse", "warehouse")
    assert target.matching == "ask"
    assert (route.path, route.fields, route.trigger) == ("", {}, "change")
    assert route.lookup == ["product_name", "created_at"]
    assert route.authority == {"quantity": "store", "exists": "ask"}


def test_the_same_file_again_changes_nothing(file):
    configure(file(PEER + ORDERS))
    assert [outcome for _, outcome in outcomes(configure(file(PEER + ORDERS)))] == ["unchanged", "unchanged"]


def test_a_changed_account_is_reported_by_its_name_in_json_too(file, capsys):
    configure(file(PEER + ORDERS))
    call_command("sync_configure", str(file(PEER.replace('user = "warehouse"', 'user = "spoke"') + ORDERS)), "--json")
    [target, _] = json.loads(capsys.readouterr().out)["changes"]
    assert target["columns"] == {"peer_user": ["warehouse", "spoke"]}
    assert str(Target.objects.get().peer_user) == "spoke"


def test_what_the_file_leaves_out_has_its_default(file):
    configure(file(PEER + ORDERS))
    configure(file(PEER.replace(', matching = "ask"', "") + '[[targets.warehouse.routes]]\nmodel = "orders.Order"\n'))
    route = Route.objects.get()
    assert (route.lookup, route.authority, route.trigger) == ([], {}, "manual")
    assert Target.objects.get().matching == "authority"


def test_a_target_that_is_not_a_peer_any_more_keeps_nothing_of_one(file):
    configure(file(PEER + ORDERS))
    rest = 'model = "orders.Order"\npath = "/orders"\nfields = { name = "product_name" }\n'
    configure(file(f'[targets.warehouse]\nurl = "http://127.0.0.1:8001/api"\n[[targets.warehouse.routes]]\n{rest}'))
    target, route = Target.objects.get(), Route.objects.get()
    assert (target.kind, target.peer_node, target.peer_user, target.matching) == ("rest", "", None, "authority")
    assert (route.path, route.lookup, route.authority) == ("/orders", [], {})


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (PEER.replace('user = "warehouse"', 'user = "nobody"'), "peer.user", "There is no user 'nobody' here"),
        (PEER.replace('node = "warehouse", ', ""), "peer.node", "This key is required"),
        (PEER.replace('user = "warehouse", ', ""), "peer.user", "This key is required"),
        (PEER.replace('"ask"', '"later"'), "peer.matching", '"later" is not one of authority, ask'),
        (PEER.replace('node = "warehouse"', 'node = "store"'), "peer.node", "This is store itself"),
        (PEER.replace('node = "warehouse"', 'node = "ware house"'), "peer.node", "A node's name: letters, digits"),
        (PEER.replace("node =", "nod ="), "peer.nod", "Unknown key; it may be one of: node, user, matching"),
        (PEER.replace('"peer"', '"rest"'), "peer", "Unknown key; it may be one of: title, kind, url"),
        (PEER.replace("peer = {", "# peer = {"), "peer", "This key is required"),
        (PEER + ORDERS + 'path = "/orders"\n', "routes[0].path", "Unknown key; it may be one of: model, natural_key"),
        (PEER + ORDERS.replace('"product_name"', '"titel"'), "routes[0].natural_key[0]", "'titel' is not a field of"),
        (PEER + ORDERS.replace("quantity", "number"), "routes[0].authority.number", "'number' is not a field of"),
        (PEER + ORDERS.replace("orders.Order", "news.Post"), "routes[0].model", "news.Post can't be shared with a"),
    ],
)
def test_a_fault_has_the_path_of_its_key_and_nothing_is_written(file, text, key, message):
    found = faults(file(text))
    assert [path for path, said in found if said.startswith(message)] == [f"targets.warehouse.{key}"], found
    assert not Target.objects.exists()


def test_a_route_that_is_not_a_peers_needs_path_and_fields_and_has_no_authority(file):
    rest = '[targets.t]\nurl = "http://127.0.0.1:8001"\n[[targets.t.routes]]\nmodel = "orders.Order"\nauthority = {}\n'
    assert [(path, message.split(";")[0]) for path, message in faults(file(rest))] == [
        ("targets.t.routes[0].authority", "Unknown key"),
        ("targets.t.routes[0].fields", "This key is required"),
        ("targets.t.routes[0].path", "This key is required"),
    ]


def test_one_node_has_one_target(file):
    second = SECOND.replace('node = "spoke"', 'node = "warehouse"')
    assert faults(file(PEER + second)) == [
        ("targets.spoke.peer.node", "warehouse is already the target for node 'warehouse'")
    ]


def test_a_node_that_a_target_outside_the_file_is_for_is_refused(file):
    configure(file(PEER))
    found = faults(file(PEER.replace("targets.warehouse", "targets.other")))
    assert found == [("targets.other", "There is a target for this node already")]


def test_peers_that_would_decide_one_model_differently_are_refused_together(file):
    found = faults(file(PEER + ORDERS + SECOND))
    assert {message for _, message in found} == {
        f"Another peer's route of orders.Order decides '{name}' otherwise; all must say the same"
        for name in ("quantity", "exists")
    }


def test_the_authority_of_all_peers_can_be_changed_at_once(file):
    same = 'authority = { quantity = "store" }\n'
    configure(file(PEER + '[[targets.warehouse.routes]]\nmodel = "orders.Order"\n' + same + SECOND + same))
    other = same.replace("store", "warehouse")
    configure(file(PEER + '[[targets.warehouse.routes]]\nmodel = "orders.Order"\n' + other + SECOND + other))
    assert [route.authority for route in Route.objects.all()] == [{"quantity": "warehouse"}] * 2


def test_a_peer_outside_the_file_must_agree_too(file):
    configure(file(SECOND))
    assert len(faults(file(PEER + ORDERS))) == 2
    assert not Route.objects.filter(target__name="warehouse").exists()
