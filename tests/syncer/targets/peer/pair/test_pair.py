"""The status of both ends of a pair: the answer to a peer, the command and the page."""

import json
from base64 import b64encode
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.urls import reverse

from content.orders.models import Order
from syncer.models import Route, Target
from syncer.targets.peer.pair import ends
from tests.syncer.targets.peer.pair.conftest import hold, orders
from tests.syncer.targets.peer.pair.node import PASSWORD

pytestmark = [pytest.mark.quick("sqlite"), pytest.mark.django_db(transaction=True)]


def test_both_ends_are_shown_and_at_rest(there, target, route, capsys):
    both = orders(30)
    hold(both)
    there.hold(both)
    call_command("sync_pair", target.name)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:7] for line in lines[1:3]] == [
        ["orders.Order", "test", "30", "0", "0", "0", "0"],
        ["orders.Order", "warehouse", "30", "0", "0", "0", "0"],
    ]
    assert len(lines) == 3


@pytest.mark.slow
def test_what_is_pending_at_either_end_is_not_at_rest(there, target, route, capsys):
    Order.objects.create(product_name="Lamp", quantity=1)
    there.run(
        "from content.orders.models import Order\nfor n in 1, 2: Order.objects.create(product_name='x', quantity=n)"
    )
    with pytest.raises(SystemExit) as ended:
        call_command("sync_pair", target.name, "--json")
    assert ended.value.code == 1
    (both,) = json.loads(capsys.readouterr().out)["models"]
    assert (both["here"]["pending"], both["there"]["pending"]) == (1, 2)


def test_conflicts_and_what_was_parked_at_the_other_end_are_counted(there, target, route):
    there.sql(
        "INSERT INTO syncer_replica (model, object_key, seen, fields, read, conflicts) "
        "VALUES ('orders.Order', 'a', '{}', '{}', 0, '{\"quantity\": \"ask\"}')"
    )
    there.sql(
        "INSERT INTO syncer_binding (route_id, object_key, wanted, rejected) SELECT id, 'a', 1, 1 FROM syncer_route"
    )
    found = ends.look(target)
    (both,) = found.models
    assert both.there is not None
    assert (both.there.conflicts, both.there.rejected) == (1, 1)
    assert not found.is_quiet


@pytest.mark.slow
@pytest.mark.parametrize("end", ["here", "there"])
def test_rules_that_differ_are_warned_of(there, target, route, end):
    assert ends.look(target).warnings == []
    if end == "here":
        Route.objects.update(authority={"quantity": "warehouse"})
    else:
        there.sql("UPDATE syncer_route SET authority = ?", '{"quantity": "ask"}')
    (warning,) = ends.look(target).warnings
    assert warning.startswith("orders.Order: who decides 'quantity' is ")


def test_different_ways_to_meet_are_warned_of(there, target, route):
    there.sql("UPDATE syncer_target SET matching = 'ask'")
    (warning,) = ends.look(target).warnings
    assert warning.startswith("At the first matching test goes by 'authority', warehouse by 'ask'")


def test_a_route_that_is_missing_at_the_other_end_is_warned_of(there, target, route):
    there.sql("DELETE FROM syncer_route")
    found = ends.look(target)
    assert found.warnings == ["orders.Order: warehouse has no route for it."]
    assert not found.is_quiet


def test_an_end_that_does_not_answer_is_named_and_our_own_is_shown(target, route):
    Target.objects.update(url="http://127.0.0.1:1/api")
    target.refresh_from_db()
    found = ends.look(target)
    assert "refused the connection" in found.problem
    assert (here := found.models[0].here) is not None
    assert here.objects == 0
    assert not found.is_quiet


def test_another_node_at_the_address_is_not_taken_for_the_peer(target, route):
    Target.objects.update(peer_node="depot")
    target.refresh_from_db()
    assert "is for 'depot', but 'warehouse' answered there" in ends.look(target).problem


# --- the page --------------------------------------------------------------------------------------------------------
def test_the_targets_page_leads_to_the_pair(admin_client, target, route):
    page = admin_client.get(reverse("admin:syncer_target_change", args=[target.pk]))
    assert reverse("admin:syncer_target_pair", args=[target.pk]) in page.content.decode()


def test_the_page_shows_both_ends(there, admin_client, target, route):
    there.hold(orders(12))
    page = admin_client.get(reverse("admin:syncer_target_pair", args=[target.pk])).content.decode()
    assert "At rest: nothing is left to send between test and warehouse" in page
    assert '<td data-label="Objects">12</td>' in page


@pytest.mark.slow
def test_compare_shows_the_proof(there, admin_client, target, route):
    both = orders(12)
    hold(both)
    there.hold(both)
    page = admin_client.post(reverse("admin:syncer_target_compare", args=[target.pk])).content.decode()
    assert "Equal: both ends hold the same" in page
    assert "12 objects are equal" in page


@pytest.mark.slow
def test_compare_shows_what_differs(there, admin_client, target, route):
    both = orders(12)
    hold(both[1:])
    both[5].product_name = "Mirror"
    there.hold(both)
    page = admin_client.post(reverse("admin:syncer_target_compare", args=[target.pk])).content.decode()
    assert "Not equal" in page
    assert "1 differ" in page
    assert reverse("admin:orders_order_change", args=[both[5].pk]) in page
    assert "1 are only there" in page
    assert str(both[0].pk) in page


@pytest.mark.slow
def test_whoever_may_only_look_can_not_compare(client, django_user_model, target, route):
    user = django_user_model.objects.create_user("viewer", password="only-for-tests-0123", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_target"))
    client.force_login(user)
    assert client.get(reverse("admin:syncer_target_pair", args=[target.pk])).status_code == 200
    assert client.post(reverse("admin:syncer_target_compare", args=[target.pk])).status_code == 403
    assert client.get(reverse("admin:syncer_target_compare", args=[target.pk])).status_code == 405


def test_a_target_that_is_not_a_peer_has_no_such_page(admin_client, remote):
    rest = Target.objects.create(name="fakeapi", url=remote.url)
    assert admin_client.get(reverse("admin:syncer_target_pair", args=[rest.pk])).status_code == 404


# --- the door --------------------------------------------------------------------------------------------------------
def ask(client, path, account, **body):
    sign_in = b64encode(f"{account.username}:{PASSWORD}".encode()).decode()
    whole = {"node": "warehouse", "writer": "warehouse:00", "model": "orders.Order", **body}
    return client.post(
        f"/api/sync/{path}", whole, content_type="application/json", headers={"authorization": f"Basic {sign_in}"}
    )


BODIES: dict[str, dict[str, Any]] = {
    "digests": {"ranges": [[None, None]]},
    "page": {"names": ["quantity"]},
    "objects": {"keys": []},
}


@pytest.mark.parametrize("path", BODIES)
def test_whoever_may_not_read_orders_learns_nothing_of_them(client, account, target, route, path):
    assert ask(client, path, account, **BODIES[path]).status_code == 200
    account.user_permissions.remove(*Permission.objects.filter(codename__in=("view_order", "change_order")))
    answer = ask(client, path, account, **BODIES[path])
    assert answer.status_code == 403
    assert "orders.view_order" in answer.json()["detail"]


def test_a_page_shows_shared_fields_only(client, account, target, route):
    answer = ask(client, "page", account, names=["updated_at", "quantity"])
    assert answer.status_code == 422
    assert "updated_at: not among the fields that are shared" in answer.json()["detail"]


def test_a_question_that_is_too_large_is_refused(client, account, target, route):
    assert ask(client, "digests", account, ranges=[[None, None]] * 65).status_code == 422


def test_an_answer_covers_no_more_of_a_range_than_is_read_at_once(client, account, target, route):
    both = orders(2100)
    hold(both)
    answer = ask(client, "digests", account, ranges=[[None, None], [None, None]], keys=True).json()
    (one,) = answer["ranges"]
    assert (one["count"], one["covered_to"]) == (1000, str(both[1000].pk))
