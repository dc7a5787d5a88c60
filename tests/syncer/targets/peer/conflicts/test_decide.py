"""A person's decision of a conflict: what it writes, what it covers, and when it is refused."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError

from backoffice.kit.audit.models import Entry
from content.orders.models import Order
from syncer.core.errors import NotPossibleError
from syncer.core.merge import EXISTS, By, covers
from syncer.models import Route, Target
from syncer.targets.peer.conflicts import OvertakenError, conflict_decide, last_common, look
from syncer.targets.peer.message import time_of
from tests.syncer.targets.peer.conflicts.conftest import person
from tests.syncer.targets.peer.conflicts.support import (
    MAY,
    MODEL,
    binding_of,
    edit,
    fetch,
    hand_in,
    order,
    ours,
    replica,
)

pytestmark = pytest.mark.django_db(transaction=True)


def decide(key, user, reason="", **values):
    row = replica(key)
    conflict_decide(replica=row, values=values, user=user, reason=reason, token=look(row).token)


def values_of(key, name):
    return [one.value for one in replica(key).state.fields[name]]


# --- what it writes --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("chosen", [2, 3, 7], ids=["ours", "theirs", "another"])
def test_the_decision_is_here_and_at_the_other_end_whatever_was_chosen(contested, node, editor, chosen):
    decide(contested, editor, quantity=chosen)
    assert order(contested).quantity == chosen
    assert replica(contested).conflicts is None
    assert replica(contested).conflict_at is None
    fetch(node, contested)
    assert node.content(contested) == ours(contested)
    assert [one.value for one in node.held[contested].state.fields["quantity"]] == [chosen]


def test_it_stands_in_the_audit_trail_by_the_names_of_the_fields(contested, editor):
    decide(contested, editor, quantity=7)
    row = Entry.objects.get(action="decision.made")
    assert (row.actor_name, row.subject_name) == (editor.username, str(replica(contested)))
    assert row.details == {"decision": "conflict", "fields": ["quantity"]}


def test_it_stands_in_the_history_with_name_and_reason(contested, editor):
    decide(contested, editor, "we asked them", quantity=3)
    row = order(contested).history.first()
    assert (row.quantity, row.history_user, row.history_change_reason, row.origin) == (3, editor, "we asked them", "")


def test_who_decided_and_why_travels_with_it_even_if_nothing_changed_here(contested, editor):
    rows = order(contested).history.count()
    decide(contested, editor, "we asked them", quantity=2)
    assert order(contested).history.count() == rows
    [one] = replica(contested).state.fields["quantity"]
    assert (one.node, one.by.user, one.by.reason) == ("store", "editor", "we asked them")
    assert one.by.at


def test_a_decision_that_changes_nothing_here_is_wanted_at_every_peer(contested, editor):
    second = Target.objects.create(name="outlet", kind="peer", url="http://127.0.0.1:9", peer_node="outlet")
    Route.objects.create(target=second, model=MODEL, authority={"quantity": "ask", "exists": "ask"})
    wanted = binding_of(contested).wanted
    decide(contested, editor, quantity=2)
    bindings = dict(second.routes.get().bindings.values_list("object_key", "wanted"))
    assert bindings == {replica(contested).object_key: 1}
    [here] = Route.objects.get(target__name="warehouse").bindings.values_list("wanted", flat=True)
    assert here == wanted + 1


def test_a_decision_wakes_whoever_follows_changes(contested, editor, warehouse):
    warehouse.runs.all().delete()
    decide(contested, editor, quantity=2)
    assert [run.trigger for run in warehouse.runs.all()] == ["change"]


def test_the_decision_is_not_an_edit_of_the_next_look(contested, editor):
    decide(contested, editor, quantity=3)
    before = replica(contested)
    assert look(before).replica.seen == before.seen


def test_it_is_in_the_log_of_what_people_did(contested, editor):
    decide(contested, editor, quantity=2)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.change_message) == (editor, "Decided: quantity.")


def test_only_the_fields_that_were_decided_are_stamped(contested, node, warehouse, editor):
    Route.objects.update(authority={"quantity": "ask", "product_name": "ask", "exists": "ask"})
    edit(contested, editor, product_name="lamp")
    node.edit(contested, product_name="light")
    assert hand_in(warehouse, node, contested) == ["conflict"]
    decide(contested, editor, quantity=3)
    assert replica(contested).conflicts == {"product_name": "ask"}
    assert replica(contested).conflict_at
    assert sorted(values_of(contested, "product_name")) == ["lamp", "light"]
    assert values_of(contested, "quantity") == [3]


# --- deleted at one end ----------------------------------------------------------------------------------------------
def test_what_was_deleted_here_comes_back_whole(deleted_here, node, editor):
    decide(deleted_here, editor, "still wanted", exists=True)
    assert ours(deleted_here) == node.content(deleted_here)
    row = order(deleted_here).history.first()
    assert (row.history_type, row.history_user, row.history_change_reason) == ("+", editor, "still wanted")
    assert replica(deleted_here).conflicts is None
    fetch(node, deleted_here)
    assert ours(deleted_here) == node.content(deleted_here)


def test_what_was_deleted_here_can_stay_so(deleted_here, node, editor):
    decide(deleted_here, editor, exists=False)
    assert not Order.objects.exists()
    assert values_of(deleted_here, EXISTS) == [False]
    fetch(node, deleted_here)
    assert node.content(deleted_here) is None


@pytest.mark.parametrize("stays", [True, False])
def test_what_was_deleted_there_stays_or_goes(shared, node, warehouse, editor, stays):
    edit(shared, editor, quantity=5)
    node.delete(shared)
    assert hand_in(warehouse, node, shared) == ["conflict"]
    assert order(shared).quantity == 5
    decide(shared, editor, "cleaned up", exists=stays)
    newest = Order.history.filter(id=shared).first()
    assert Order.objects.exists() is stays
    if not stays:
        written = (newest.history_type, newest.history_user, newest.history_change_reason)
        assert written == ("-", editor, "cleaned up")
    fetch(node, shared)
    assert node.content(shared) == ours(shared)


def test_to_decide_of_a_field_is_to_keep_the_object(contested, node, warehouse, editor):
    node.delete(contested)
    assert hand_in(warehouse, node, contested) == ["conflict"]
    assert look(replica(contested)).names == (EXISTS, "quantity")
    decide(contested, editor, quantity=3)
    assert replica(contested).conflicts is None
    fetch(node, contested)
    assert node.content(contested) == ours(contested)


# --- what is not valid together --------------------------------------------------------------------------------------
def test_what_is_not_valid_waits_with_what_is_wrong(invalid):
    assert order(invalid).quantity == 1
    assert "greater than or equal to 1" in str(replica(invalid).conflicts)
    assert look(replica(invalid)).names == ("quantity",)


def test_a_valid_value_ends_it(invalid, node, editor):
    decide(invalid, editor, quantity=4)
    assert ours(invalid)["quantity"] == 4
    assert replica(invalid).conflicts is None
    fetch(node, invalid)
    assert node.content(invalid) == ours(invalid)


def test_a_decision_that_is_not_valid_is_refused_by_field(invalid, editor):
    before = replica(invalid).fields
    with pytest.raises(ValidationError) as caught:
        decide(invalid, editor, quantity=0)
    assert [*caught.value.message_dict] == ["quantity"]
    assert replica(invalid).fields == before
    assert order(invalid).quantity == 1


def test_a_value_of_another_kind_is_refused_by_field(contested, editor):
    with pytest.raises(ValidationError) as caught:
        decide(contested, editor, quantity="many")
    assert [*caught.value.message_dict] == ["quantity"]


# --- what was seen ---------------------------------------------------------------------------------------------------
def test_what_the_other_end_edited_meanwhile_is_not_decided_unseen(contested, node, warehouse, editor):
    seen = look(replica(contested)).token
    node.edit(contested, quantity=9)
    hand_in(warehouse, node, contested)
    with pytest.raises(OvertakenError, match="has changed since you looked"):
        conflict_decide(replica=replica(contested), values={"quantity": 2}, user=editor, token=seen)
    assert sorted(values_of(contested, "quantity")) == [2, 9]


def test_what_was_edited_here_meanwhile_is_not_overruled_unseen(contested, editor):
    seen = look(replica(contested)).token
    edit(contested, editor, quantity=8)
    with pytest.raises(OvertakenError):
        conflict_decide(replica=replica(contested), values={"quantity": 2}, user=editor, token=seen)
    assert order(contested).quantity == 8


def test_what_was_edited_here_and_not_looked_at_is_not_lost(contested, node, editor):
    edit(contested, editor, product_name="lamp")
    decide(contested, editor, quantity=3)
    fetch(node, contested)
    assert node.content(contested)["product_name"] == "lamp"


def test_a_field_that_does_not_wait_is_not_a_decision(contested, editor):
    with pytest.raises(NotPossibleError, match="does not wait for a decision"):
        decide(contested, editor, product_name="lamp")


def test_what_was_decided_is_not_decided_again(contested, editor):
    decide(contested, editor, quantity=3)
    with pytest.raises(NotPossibleError, match="does not wait for a decision"):
        decide(contested, editor, quantity=2)


def test_an_edit_of_the_field_in_its_own_form_is_the_decision(contested, node, editor):
    edit(contested, editor, quantity=8)
    assert look(replica(contested)).names == ()
    fetch(node, contested)
    assert [one.value for one in node.held[contested].state.fields["quantity"]] == [8]


# --- who may ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [2, 3])
def test_whoever_may_not_change_orders_decides_nothing(contested, value):
    looker = person("looker", "view_order", "delete_order", "add_order")
    with pytest.raises(PermissionDenied):
        decide(contested, looker, quantity=value)
    assert len(values_of(contested, "quantity")) == 2


@pytest.mark.parametrize(("lacks", "stays"), [("delete_order", False), ("add_order", True)])
def test_to_delete_and_to_bring_back_need_their_permissions(deleted_here, lacks, stays):
    some = person("some", *(one for one in MAY if one != lacks))
    with pytest.raises(PermissionDenied):
        decide(deleted_here, some, exists=stays)


def test_what_needs_a_permission_of_its_own_needs_it_here_too(shared, node, warehouse, editor):
    Route.objects.update(authority={"status": "ask"})
    edit(shared, editor, status="SHIPPED")
    node.edit(shared, product_name="lamp", status="DELIVERED")
    hand_in(warehouse, node, shared)
    edit(shared, editor, product_name="lamp light")
    packer = person("some", "view_order", "change_order")
    with pytest.raises(ValidationError) as caught:
        decide(shared, packer, status="PENDING")
    assert [*caught.value.message_dict] == ["status"]
    decide(shared, packer, status="DELIVERED")
    assert order(shared).status == "DELIVERED"


# --- what it was before ----------------------------------------------------------------------------------------------
def test_the_last_common_value_is_what_it_was_before_both_edited(contested):
    assert last_common(look(replica(contested)), "quantity").quantity == 1


def test_a_peer_that_took_our_edit_as_a_conflict_does_not_make_it_common(contested):
    newest = order(contested).history.first().history_id
    Route.objects.get().bindings.update(common=newest)
    assert last_common(look(replica(contested)), "quantity").quantity == 1


def test_without_history_nothing_common_is_known(contested):
    Order.history.all().delete()
    assert last_common(look(replica(contested)), "quantity") is None


def test_nodes_that_were_never_matched_have_nothing_in_common(contested):
    Route.objects.get().bindings.update(common=None)
    assert last_common(look(replica(contested)), "quantity") is None


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-02", "2026-01-02T12:00:00"])
def test_a_time_without_its_zone_is_not_known(at):
    assert time_of(By(at=at)) is None


def test_the_decision_covers_all_that_was_known(contested, node, editor):
    decide(contested, editor, quantity=2)
    assert covers(replica(contested).seen, node.held[contested].state.seen)
