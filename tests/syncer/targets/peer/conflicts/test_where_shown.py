"""Where conflicts are shown: beside the object, in lists, on cards; and a peer's edits in the history."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from content.orders.models import Order
from syncer import public
from syncer.core.state import State
from syncer.models import Binding
from syncer.reports import states
from syncer.reports.overview import overview
from syncer.reports.states import having
from tests.content.pages import administrator
from tests.syncer.targets.peer.conflicts.support import CONTENT, PACKER, binding_of, edit, hand_in, order, replica

pytestmark = [pytest.mark.quick("postgres"), pytest.mark.django_db(transaction=True)]


def page_of(key):
    return reverse("admin:syncer_replica_change", args=[replica(key).pk])


def text_of(address):
    return " ".join(administrator().get(address).content.decode().split())


# --- states ----------------------------------------------------------------------------------------------------------
def test_an_object_that_waits_is_in_conflict_and_says_with_what_and_where(contested):
    [state] = public.object_states(Order, [order(contested).pk])[order(contested).pk]
    assert (state.state, state.why, state.url) == (State.CONFLICT, "quantity", page_of(contested))


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"wanted": 5, "delivered": 5},
        {"wanted": 6, "delivered": 5, "tries": 2},
        {"wanted": 6, "delivered": 5, "rejected": 6},
        {"on_hold": True},
    ],
)
def test_the_list_finds_a_conflict_by_the_word_that_it_shows(warehouse, node, contested, row):
    other = node.create(CONTENT)
    hand_in(warehouse, node, other)
    Binding.objects.filter(pk=binding_of(contested).pk).update(**row)
    found = states.of_bindings(Binding.objects.select_related("route__target"))
    assert found[binding_of(contested).pk].state == (State.ON_HOLD if row.get("on_hold") else State.CONFLICT)
    for state in State:
        chosen = set(Binding.objects.filter(having(state)).values_list("pk", flat=True))
        assert chosen == {pk for pk, shown in found.items() if shown.state == state}, state


def test_another_kind_of_target_has_no_conflict(contested, warehouse):
    type(warehouse).objects.update(kind="rest", peer_node="", peer_user=None)
    [state] = public.object_states(Order, [order(contested).pk])[order(contested).pk]
    assert state.state is not State.CONFLICT
    assert not Binding.objects.filter(having(State.CONFLICT)).exists()


def test_states_of_many_cost_what_those_of_a_few_cost(warehouse, node, contested):
    def queries():
        with CaptureQueriesContext(connection) as found:
            public.object_states(Order, list(Order.objects.values_list("pk", flat=True)))
        return len(found)

    few = queries()
    hand_in(warehouse, node, *[node.create(CONTENT) for _ in range(20)])
    assert queries() == few


# --- pages -----------------------------------------------------------------------------------------------------------
def test_the_object_s_form_and_list_lead_to_the_decision(contested):
    for page in (reverse("admin:orders_order_change", args=[contested]), reverse("admin:orders_order_changelist")):
        assert f'href="{page_of(contested)}"' in text_of(page)


def test_the_card_of_the_target_counts_conflicts_as_its_list_does(contested, warehouse):
    assert dict(overview(warehouse).attention)["conflict"] == 1
    text = text_of(reverse("admin:syncer_target_change", args=[warehouse.pk]))
    assert f"route__target__id__exact={warehouse.pk}&amp;state=conflict" in text
    listed = administrator().get(reverse("admin:syncer_binding_changelist"), {"state": "conflict"})
    assert [row.pk for row in listed.context["cl"].result_list] == [binding_of(contested).pk]


def test_the_page_of_a_peer_s_binding_says_what_it_has_seen_and_nothing_of_creates(contested, node, warehouse):
    page = reverse("admin:syncer_binding_change", args=[binding_of(contested).pk])
    text = text_of(page)
    assert "What the peer has seen" in text
    assert "store: 0 of 1 edits" in text
    assert "warehouse: all 2 edits" in text
    assert f'href="{page_of(contested)}"' in text
    for word in ("A create without an answer", "What the target accepted"):
        assert word not in text, word


def test_the_page_of_a_peer_s_binding_says_if_nothing_is_known(contested):
    Binding.objects.update(peer_seen=None)
    page = reverse("admin:syncer_binding_change", args=[binding_of(contested).pk])
    assert "It is not known what warehouse has seen" in text_of(page)


# --- history ---------------------------------------------------------------------------------------------------------
def test_the_history_names_the_remote_editor_the_node_and_the_reason(shared, node, warehouse):
    node.edit(shared, quantity=3, by=PACKER)
    hand_in(warehouse, node, shared)
    text = text_of(reverse("admin:orders_order_history", args=[shared]))
    assert "by packer, at warehouse" in text
    assert "counted twice" in text
    assert "by peer-warehouse" not in text


def test_the_history_names_a_program_of_the_other_node_as_such(shared):
    assert "by a program, at warehouse" in text_of(reverse("admin:orders_order_history", args=[shared]))


def test_the_history_names_who_edited_here_as_before(shared, editor):
    edit(shared, editor, quantity=2)
    assert "by editor</span>" in text_of(reverse("admin:orders_order_history", args=[shared]))


def test_the_way_back_to_a_version_names_the_remote_editor_too(shared, node, warehouse):
    node.edit(shared, quantity=3, by=PACKER)
    hand_in(warehouse, node, shared)
    version = order(shared).history.first().history_id
    page = reverse("admin:orders_order_simple_history", args=[shared, version])
    assert "by packer, at warehouse" in text_of(page)
