"""The result of one item, and its effect on the others in its batch."""

import pytest

from backoffice.accounts.models import User
from content.orders.models import Order
from tests.content.api_client import ApiClient
from tests.syncer.targets.peer.inbound.batches import LAMP, account, binding_of, by, everything, live, replica, versions

pytestmark = pytest.mark.django_db(transaction=True)


def edit_here(key, **values):
    """Save an order."""
    order = Order.objects.get(pk=key)
    for name, value in values.items():
        setattr(order, name, value)
    order.save()


# --- results ---------------------------------------------------------------------------------------------------------
def test_a_new_object_is_applied_and_seen(store):
    key = store.node.create(LAMP)
    (result,) = store.hand_in()
    assert result == {"key": key, "result": "applied", "seen": {store.node.writer: 1}, "fields": {}}
    assert live(key) == {"product_name": "desk lamp", "quantity": 2, "status": "PENDING"}
    assert binding_of(store, key).peer_seen == {store.node.writer: 1}
    assert binding_of(store, key).remote_id == f'"{key}"'


def test_an_edit_there_alone_is_applied_whoever_has_the_authority(store, lamp):
    store.node.edit(lamp, status="SHIPPED", quantity=9)
    assert store.results() == ["applied"]
    assert live(lamp) == {"product_name": "desk lamp", "quantity": 9, "status": "SHIPPED"}


def test_what_is_here_already_changes_nothing(store, lamp):
    other = store.node.create(LAMP)
    store.node.delete(lamp)
    store.results()
    before = everything()
    for _ in range(2):
        assert store.results(lamp, other) == ["already there", "already there"]
    assert everything() == before


def test_a_delete_is_applied_and_remembered(store, lamp):
    store.node.delete(lamp)
    assert store.results() == ["applied"]
    assert not Order.objects.exists()
    assert replica(lamp).shadow is None
    assert binding_of(store, lamp).remote_id is None
    assert binding_of(store, lamp).last_remote_id == f'"{lamp}"'


def test_an_edit_here_that_nobody_looked_at_yet_is_not_lost(store, lamp):
    edit_here(lamp, status="SHIPPED")
    store.node.edit(lamp, quantity=9)
    assert store.results() == ["merged"]
    assert live(lamp) == {"product_name": "desk lamp", "quantity": 9, "status": "SHIPPED"}
    store.takes(lamp)
    assert store.node.content(lamp)["status"] == "SHIPPED"


def test_what_was_made_here_and_there_under_one_key_is_merged(store):
    order = Order.objects.create(product_name="wall hook", quantity=1)
    store.node.create(LAMP | {"status": "SHIPPED"}, key=str(order.pk))
    assert store.results() == ["merged"]
    assert live(str(order.pk))["quantity"] == 2  # the store decides it


@pytest.mark.parametrize(
    ("field", "here", "there", "left"),
    [("quantity", 5, 9, 9), ("status", "SHIPPED", "DELIVERED", "SHIPPED")],
    ids=["theirs", "ours"],
)
def test_the_authority_of_the_field_decides_between_edits_that_did_not_know_of_each_other(
    store, lamp, field, here, there, left
):
    edit_here(lamp, **{field: here})
    store.node.edit(lamp, **{field: there})
    assert store.results() == ["merged"]
    assert live(lamp)[field] == left
    assert replica(lamp).conflicts is None


def test_the_routes_authority_goes_before_the_domains(store, lamp):
    store.target.routes.update(authority={"quantity": "warehouse"})
    edit_here(lamp, quantity=5)
    store.node.edit(lamp, quantity=9)
    assert store.results() == ["merged"]
    assert live(lamp)["quantity"] == 5


# --- ask -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def asks(store, lamp):
    store.target.routes.update(authority={"quantity": "ask"})
    return lamp


def test_a_field_that_nobody_decides_stays_as_it_is_at_each_end(store, asks):
    edit_here(asks, quantity=5, status="SHIPPED")
    store.node.edit(asks, quantity=9, product_name="floor lamp")
    (result,) = store.hand_in()
    assert (result["result"], result["fields"]) == ("conflict", {})
    assert result["seen"] == store.node.held[asks].state.seen
    assert live(asks) == {"product_name": "floor lamp", "quantity": 5, "status": "SHIPPED"}
    assert replica(asks).conflicts == {"quantity": "ask"}
    assert {value for _, _, value, *_ in replica(asks).fields["quantity"]} == {5, 9}


def test_a_conflict_that_comes_again_changes_nothing(store, asks):
    edit_here(asks, quantity=5)
    store.node.edit(asks, quantity=9)
    store.results()
    before = everything()
    assert store.results(asks) == ["already there"]
    assert everything() == before


def test_equal_values_are_no_conflict(store, asks):
    edit_here(asks, quantity=9)
    store.node.edit(asks, quantity=9)
    assert store.results() == ["merged"]
    assert replica(asks).conflicts is None


@pytest.mark.parametrize("where", ["here", "there"])
def test_an_edit_that_knows_both_decides_a_conflict(store, asks, where):
    edit_here(asks, quantity=5)
    store.node.edit(asks, quantity=9)
    store.results()
    store.takes(asks)
    if where == "here":
        edit_here(asks, quantity=7)
        store.node.edit(asks, product_name="floor lamp")
        store.results()
    else:
        store.node.decide(asks, quantity=7)
        assert store.results() == ["applied"]
    assert live(asks)["quantity"] == 7
    assert replica(asks).conflicts is None
    assert replica(asks).conflict_at is None


def test_a_conflict_goes_on_to_wait_while_other_fields_are_edited(store, asks):
    edit_here(asks, quantity=5)
    store.node.edit(asks, quantity=9)
    store.results()
    since = replica(asks).conflict_at
    store.node.edit(asks, product_name="floor lamp")
    assert store.results() == ["conflict"]
    assert live(asks)["product_name"] == "floor lamp"
    assert live(asks)["quantity"] == 5
    assert replica(asks).conflict_at == since


# --- deletes against edits -------------------------------------------------------------------------------------------
def test_a_delete_there_wins_where_the_authority_is_theirs(store, lamp):
    edit_here(lamp, status="SHIPPED")
    store.node.delete(lamp)
    assert store.results() == ["merged"]
    assert not Order.objects.exists()
    assert set(replica(lamp).fields) == {"exists", "product_name", "quantity", "status", "created_at"}


def test_a_delete_there_loses_where_the_authority_is_ours(store, lamp):
    store.target.routes.update(authority={"exists": "warehouse"})
    edit_here(lamp, status="SHIPPED")
    before = len(versions(lamp))
    store.node.delete(lamp)
    assert store.results() == ["merged"]
    assert live(lamp)["status"] == "SHIPPED"
    assert len(versions(lamp)) == before
    store.takes(lamp)


def test_what_was_deleted_here_comes_back_whole_where_their_edit_wins(store, lamp):
    edit_here(lamp, status="SHIPPED", product_name="floor lamp")
    store.node.edit(lamp, quantity=3)
    store.results()
    Order.objects.get(pk=lamp).delete()
    store.node.edit(lamp, quantity=9)
    assert store.results() == ["merged"]
    assert live(lamp) == {"product_name": "floor lamp", "quantity": 9, "status": "SHIPPED"}
    assert Order.objects.get(pk=lamp).created_at.isoformat() == LAMP["created_at"]


def test_what_was_edited_here_and_then_deleted_comes_back_with_the_edit(store, lamp):
    edit_here(lamp, status="SHIPPED")
    Order.objects.get(pk=lamp).delete()
    store.node.edit(lamp, quantity=5)
    assert store.results() == ["merged"]
    assert live(lamp) == {"product_name": "desk lamp", "quantity": 5, "status": "SHIPPED"}


@pytest.mark.parametrize("deleted", ["here", "there"])
def test_where_nobody_decides_each_end_keeps_or_misses_the_object(store, lamp, deleted):
    store.target.routes.update(authority={"exists": "ask"})
    if deleted == "here":
        Order.objects.get(pk=lamp).delete()
        store.node.edit(lamp, quantity=9)
    else:
        edit_here(lamp, status="SHIPPED")
        store.node.delete(lamp)
    assert store.results() == ["conflict"]
    assert Order.objects.exists() == (deleted == "there")
    assert replica(lamp).conflicts == {"exists": "ask"}


# --- what is not valid -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 2**40}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"product_name": "x" * 256}, "product_name"),
        ({"product_name": " "}, "product_name"),
        ({"status": "LOST"}, "status"),
    ],
)
def test_what_is_not_valid_here_is_refused_with_its_field_and_nothing_of_it_is_kept(store, lamp, values, field):
    before = everything()
    store.node.edit(lamp, **values)
    (result,) = store.hand_in()
    assert result["result"] == "refused"
    [(name, texts)] = result["fields"].items()
    assert name == field or (name == "" and field in texts[0])  # of a check that only the database knows
    assert "seen" not in result
    assert everything() == before


@pytest.mark.parametrize(
    "value", ["5", 5.0, 5.5, True, [5], {"a": 5}, "five", "2026-01-01", "", "9" * 5000, 1e300, -(2**63)], ids=repr
)
@pytest.mark.parametrize("field", ["quantity", "status", "created_at"])
def test_a_value_of_another_type_or_form_is_refused(store, lamp, field, value):
    store.node.edit(lamp, **{field: value})
    (result,) = store.hand_in()
    assert (result["result"], list(result["fields"])) == ("refused", [field])


@pytest.mark.parametrize("value", ["2026-01-01T12:00:00", "2026-01-01T14:00:00+02:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_in_another_form_than_ours_is_refused_for_it_would_count_as_an_edit(store, lamp, value):
    store.node.edit(lamp, created_at=value)
    (result,) = store.hand_in()
    assert (result["result"], list(result["fields"])) == ("refused", ["created_at"])


@pytest.mark.parametrize("value", ["a\0b", [[[[[[[[[[1]]]]]]]]]]], ids=["NUL", "too deep"])
@pytest.mark.parametrize("field", ["product_name", "unknown_here"])
def test_what_no_database_keeps_is_refused_and_spoils_no_other(store, lamp, field, value):
    good = store.node.create(LAMP)
    store.node.edit(lamp, **{field: value})
    results = {one["key"]: one for one in store.hand_in()}
    assert results[good]["result"] == "applied"
    assert (results[lamp]["result"], list(results[lamp]["fields"])) == ("refused", [field])


def test_an_edit_here_is_stamped_though_the_item_is_refused(store, lamp):
    store.client = ApiClient(account("clerk", "push_as_peer"))
    store.target.peer_user_id = User.objects.get(username="peer-clerk").pk
    store.target.save()
    edit_here(lamp, status="SHIPPED")
    store.node.edit(lamp, quantity=5)
    assert store.results() == ["refused"]
    assert (replica(lamp).shadow or {})["status"] == "SHIPPED"
    assert [value for _, _, value, *_ in replica(lamp).fields["status"]] == ["SHIPPED"]
    assert [value for _, _, value, *_ in replica(lamp).fields["quantity"]] == [2]


def test_one_bad_item_spoils_no_other(store):
    keys = [store.node.create(LAMP | {"quantity": number}) for number in (1, 2**31, 3, 0, 5, 6, 7)]
    by_key = {one["key"]: one["result"] for one in store.hand_in()}
    expected = ["applied", "refused", "applied", "refused", "applied", "applied", "applied"]
    assert [by_key[key] for key in keys] == expected
    assert sorted(Order.objects.values_list("quantity", flat=True)) == [1, 3, 5, 6, 7]


def test_an_object_that_is_refused_leaves_nothing_here(store):
    before = everything()
    store.node.create(LAMP | {"quantity": 0})
    assert store.results() == ["refused"]
    assert everything() == before


# --- what is not valid together --------------------------------------------------------------------------------------
@pytest.fixture
def together(store, lamp):
    """The two edits are not valid together: the rules of this node refuse the peer's, given ours."""
    edit_here(lamp, status="SHIPPED")
    store.node.edit(lamp, quantity=0, product_name="floor lamp")
    (result,) = store.hand_in()
    assert result["result"] == "conflict"
    assert list(result["fields"]) == ["quantity"]
    assert result["seen"] == store.node.held[lamp].state.seen
    return lamp


def test_a_merged_result_that_is_not_valid_waits_for_a_person(store, together):
    assert live(together) == {"product_name": "desk lamp", "quantity": 2, "status": "SHIPPED"}
    [(field, why)] = (replica(together).conflicts or {}).items()
    assert field == "quantity"
    assert "greater than or equal to 1" in why
    assert replica(together).conflict_at


def test_nothing_of_it_is_dropped(store, together):
    fields = replica(together).fields
    assert [value for _, _, value, *_ in fields["quantity"]] == [0]
    assert [value for _, _, value, *_ in fields["status"]] == ["SHIPPED"]
    assert [value for _, _, value, *_ in fields["product_name"]] == ["floor lamp"]


def test_repeated_it_changes_nothing(store, together):
    before = everything()
    assert store.results(together) == ["conflict"]
    assert everything() == before


def test_a_later_valid_edit_there_clears_it(store, together):
    store.node.edit(together, quantity=4)
    assert store.results() == ["merged"]
    assert live(together) == {"product_name": "floor lamp", "quantity": 4, "status": "SHIPPED"}
    assert replica(together).conflicts is None


def test_an_edit_there_that_leaves_it_invalid_does_not_clear_it(store, together):
    store.node.edit(together, status="DELIVERED")
    assert store.results() == ["conflict"]
    assert live(together)["quantity"] == 2


# --- who did it ------------------------------------------------------------------------------------------------------
def test_the_history_names_origin_editor_and_reason_of_each_item(store):
    first, second, third = (store.node.create(LAMP, by=by("editor", "by phone")) for _ in range(3))
    store.results()
    store.node.edit(first, quantity=3, by=by("editor", "one more"))
    store.node.edit(second, quantity=4, by=by("importer", "two more"))
    store.node.delete(third, by=by("importer", "called off"))
    fourth = store.node.create(LAMP, by=by("", ""))
    fifth = store.node.create(LAMP, by=by("editor", "by letter"))
    store.results()
    made = ("+", "store", "editor", "by phone")
    assert versions(first) == [made, ("~", "store", "editor", "one more")]
    assert versions(second) == [made, ("~", "store", "importer", "two more")]
    assert versions(third) == [made, ("-", "store", "importer", "called off")]
    assert versions(fourth) == [("+", "store", "", None)]
    assert versions(fifth) == [("+", "store", "editor", "by letter")]


def test_deletes_of_several_editors_have_each_their_reason(store):
    keys = [store.node.create(LAMP) for _ in range(4)]
    store.results()
    whys = [("editor", "sold out"), ("importer", "sold out"), ("editor", "called off"), ("", "")]
    for key, (user, reason) in zip(keys, whys, strict=True):
        store.node.delete(key, by=by(user, reason))
    assert store.results() == ["applied"] * 4
    assert [versions(key)[-1] for key in keys] == [("-", "store", user, reason or None) for user, reason in whys]


def test_an_edit_here_stays_ours_in_the_history(store, lamp):
    edit_here(lamp, status="SHIPPED")
    assert versions(lamp)[-1] == ("~", "", "", None)


@pytest.mark.parametrize(
    ("who", "kept"),
    [
        (by("u" * 9000, "r" * 9000), ("u" * 256, "r" * 256)),
        (by("a\0b", "c\0d"), ("a\ufffdb", "c\ufffdd")),
        (by("editor", "why", at="yesterday"), ("editor", "why")),
    ],
    ids=["too long", "NUL", "no time"],
)
def test_a_name_or_reason_that_can_not_be_kept_is_mended_for_it_decides_nothing(store, who, kept):
    key = store.node.create(LAMP, by=who)
    assert store.results() == ["applied"]
    assert versions(key) == [("+", "store", *kept)]
