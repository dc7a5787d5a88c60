"""The meaning of a peer's answers: for single objects, for a whole batch, and of a missing answer."""

from datetime import timedelta
from typing import Any

import pytest

from backoffice.kit import clock
from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.engine.wake import sweep
from syncer.models import Attempt, Binding, Run, Target
from syncer.models.backlog import failed
from tests.remote import Fault
from tests.syncer.support import LOST, let_time_pass, name_of
from tests.syncer.targets.peer.outbound.support import binding_of, by_itself, order, ours, quiet, sent

pytestmark = pytest.mark.django_db(transaction=True)
CUT = [{"kind": Fault.CUT}, {"kind": Fault.EMPTY}, {"kind": Fault.STATUS, "status": 500, "act": False}]


def target():
    return Target.objects.get()


def twist(peer, **values):
    """Replace these values in the result of each item; None removes a value."""

    def twisted(answer):
        for result in answer["items"]:
            result.update(values)
            for name in [name for name, value in values.items() if value is ...]:
                del result[name]
        return answer

    peer.twists.append(twisted)


# --- of single objects -----------------------------------------------------------------------------------------------
def test_a_refused_item_is_parked_with_its_fields_and_the_others_go_on(connected, peer):
    bad, good = order(), order()
    peer.node.refuses[str(bad.pk)] = {"quantity": ["Too many.", "Really."], "": ["It is too late."]}
    run = run_here(connected)
    row = binding_of(bad)
    assert (row.rejected, row.unconfirmed, row.peer_seen) == (row.wanted, False, None)
    assert row.reason == "answered refused: quantity: Too many. Really.; It is too late."
    assert peer.node.contents.keys() == {str(good.pk)}
    assert (run.state, binding_of(good).rejected) == ("failed", None)
    assert target().failures == 0
    with quiet(peer):
        let_time_pass()
        assert sweep() == 0
        run_here(connected)


def test_a_newer_edit_sends_a_refused_item_again(connected, peer):
    one = order()
    peer.node.refuses[str(one.pk)] = {"quantity": ["Too many."]}
    run_here(connected)
    peer.node.refuses.clear()
    Order.objects.filter(pk=one.pk).update(quantity=2)
    run_here(connected)
    row = binding_of(one)
    assert (row.rejected, row.reason, row.tries) == (None, "", 0)
    assert peer.node.contents == ours()


def test_an_item_put_off_is_tried_again_later_and_says_nothing_of_the_peer(connected, peer):
    busy, good = order(), order()
    peer.node.later.add(str(busy.pk))
    before = clock.now()
    run = run_here(connected)
    row = binding_of(busy)
    assert (row.rejected, row.tries, row.unconfirmed) == (None, 1, False)
    assert row.not_before is not None
    assert row.not_before > before
    assert run.message.startswith("warehouse answered later: Somebody is writing it just now.; 1 change is kept, next ")
    assert (target().failures, peer.node.contents.keys()) == (0, {str(good.pk)})
    peer.node.later.clear()
    let_time_pass()
    peer.clear_journal()
    run_here(connected)
    assert sent(peer) == [[str(busy.pk)]]


def test_however_many_items_are_put_off_the_peer_counts_as_one_that_answers(connected, peer):
    for one in (some := [order() for _ in range(6)]):
        peer.node.later.add(str(one.pk))
    for _ in range(6):
        run_here(connected)
        let_time_pass()
    assert target().opened_at is None
    assert binding_of(some[0]).tries == 6


@pytest.mark.parametrize("wrong", ["left out", "no seen", "less seen", "another key"])
def test_what_the_answer_does_not_say_to_be_seen_is_sent_again(connected, peer, wrong):
    one, good = order(), order()
    if wrong == "left out":
        peer.node.leaves_out.add(str(one.pk))
    else:
        changes: dict[str, dict[str, Any]]
        changes = {"no seen": {"seen": ...}, "less seen": {"seen": {}}, "another key": {"key": "x"}}
        twist(peer, **changes[wrong])
    run_here(connected)
    row = binding_of(one)
    assert (row.tries, row.rejected, row.peer_seen) == (1, None, None)
    assert Attempt.objects.get(binding=row).outcome == "unknown"
    peer.twists.clear()
    peer.node.leaves_out.clear()
    let_time_pass()
    assert run_here(connected).state == "done"
    assert (binding_of(one).peer_seen, binding_of(good).tries) != (None, 1)
    assert peer.node.contents == ours()


def test_an_attempt_of_what_was_left_out_shows_nothing_of_the_others(connected, peer):
    one, other = order(), order(product_name="somebody else's")
    peer.node.leaves_out.add(str(one.pk))
    peer.node.refuses[str(other.pk)] = {"product_name": ["somebody else's is not for us."]}
    run_here(connected)
    assert Attempt.objects.get(binding=binding_of(one)).answer == ""


# --- lost answers ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", [*LOST, *CUT], ids=name_of)
def test_where_the_answer_is_lost_all_is_sent_again_and_does_no_harm(connected, peer, fault):
    some = [order() for _ in range(3)]
    peer.fault(**fault)
    run_here(connected)
    assert {(row.tries, row.unconfirmed, row.in_doubt, row.rejected) for row in map(binding_of, some)} == {
        (1, False, False, None)
    }
    assert target().failures == 1, "one request, however many objects"
    let_time_pass()
    peer.clear_journal()
    assert run_here(connected).state == "done"
    assert [sorted(keys) for keys in sent(peer)] == [sorted(str(one.pk) for one in some)]
    assert peer.node.contents == ours()
    assert target().failures == 0
    with quiet(peer):
        run_here(connected)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"node": "warehouse"},
        {"node": "warehouse", "writer": "warehouse:1", "items": 1},
        {"node": "warehouse", "writer": "warehouse:1", "items": [1]},
        {"node": "warehouse", "writer": "warehouse:1", "items": [{"key": "x"}]},
        {"node": "warehouse", "writer": "warehouse:1", "items": [{"key": "x", "result": "won"}]},
        {"node": "warehouse", "writer": "warehouse:1", "items": [{"key": "x", "result": "applied", "seen": [1]}]},
        {"node": "warehouse", "writer": "warehouse:1", "items": [{"key": "x", "result": "refused", "fields": 1}]},
        {
            "node": "warehouse",
            "writer": "warehouse:1",
            "items": [{"key": "x", "result": "applied", "seen": {"a:1": 1e999}}],
        },
        {"node": "warehouse", "writer": "warehouse:" + "f" * 20, "items": []},
        {"node": "warehouse", "writer": "warehouse", "items": []},
        {"node": "warehouse", "writer": "store:1", "items": []},
        {"node": "warehouse", "writer": "warehouse:\x00", "items": []},
        {"node": "warehouse", "writer": "warehouse:" + "f" * 500, "items": []},
    ],
    ids=str,
)
def test_an_answer_of_another_shape_is_not_an_answer(connected, peer, answer):
    one = order()
    peer.twists.append(lambda _: answer)
    run = run_here(connected)
    assert (binding_of(one).tries, binding_of(one).peer_seen, target().failures) == (1, None, 1)
    assert "1 change is kept" in run.message
    assert target().peer_writer == peer.node.writer


def test_a_refusal_with_what_no_database_keeps_is_kept_without_it(connected, peer):
    one = order()
    peer.node.refuses[str(one.pk)] = {"quantity\x00": ["half \ud800 and \x00 nothing"]}
    run_here(connected)
    assert binding_of(one).reason == "answered refused: quantity: half ? and  nothing"


def test_a_peer_that_is_down_costs_one_failure_a_request_and_then_a_probe_at_a_time(connected, peer):
    some = [order() for _ in range(7)]
    peer.fault(Fault.STATUS, status=502, times=None)
    for _ in range(5):
        run_here(connected)
        let_time_pass()
    assert target().opened_at is not None
    peer.clear_journal()
    run_here(connected)
    assert [len(keys) for keys in sent(peer)] == [1], "a probe has one object"
    peer.heal()
    let_time_pass()
    run_here(connected)
    assert target().opened_at is None
    assert peer.node.contents.keys() == {str(one.pk) for one in some}


def test_a_peer_that_is_known_again_while_nothing_is_due_is_probed_with_a_greeting(connected, peer):
    Target.objects.update(opened_at=clock.now(), failures=5, probe_at=clock.now(), unhealthy_since=clock.now())
    assert sweep() == 1
    [waiting] = Run.objects.filter(finished_at=None)
    run_here(waiting.target)
    assert sent(peer) == [[]]
    assert (target().opened_at, target().failures) == (None, 0)


def test_a_peer_that_is_unreachable_is_not_greeted_before_its_turn(connected, peer):
    Target.objects.update(
        opened_at=clock.now(), failures=5, acknowledged_writer="", probe_at=clock.now() + timedelta(hours=1)
    )
    with quiet(peer):
        assert sweep() == 0
        by_itself(connected)


PROBLEM = {"Content-Type": "application/problem+json"}


# --- of the whole batch ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 301])
def test_a_refusal_of_the_whole_batch_pauses_the_target_and_burns_nothing(connected, peer, status):
    some = [order() for _ in range(2)]
    body = {"detail": "warehouse has no route for 'orders.Order' to 'store'"}
    peer.fault(Fault.STATUS, status=status, body=body, headers=PROBLEM)
    run = run_here(connected)
    assert target().blocked.startswith(f"warehouse answered {status}: ")
    assert "has no route for 'orders.Order'" in run.message
    assert {(row.tries, row.rejected, row.not_before, row.unconfirmed) for row in map(binding_of, some)} == {
        (0, None, None, False)
    }
    with quiet(peer):
        assert sweep() == 0
    assert run_here(connected).state == "done"
    assert peer.node.contents == ours()


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_what_a_gateway_answers_in_its_own_words_is_no_refusal_of_the_peer(connected, peer, status):
    some = order()
    peer.fault(Fault.STATUS, status=status, body={"message": "default backend"})
    run_here(connected)
    assert (target().blocked, binding_of(some).rejected) == ("", None)
    let_time_pass()
    by_itself(connected)
    assert peer.node.contents == ours()


@pytest.mark.parametrize("status", [429, 503])
def test_the_whole_target_waits_as_long_as_the_peer_asks(connected, peer, status):
    order()
    peer.fault(Fault.STATUS, status=status, retry_after=300)
    began = clock.now()
    run_here(connected)
    assert began + timedelta(seconds=300) <= target().not_before <= clock.now() + timedelta(seconds=300)
    with quiet(peer):
        assert sweep() == 0
        by_itself(connected)
    let_time_pass()
    assert run_here(connected).state == "done"
    assert Binding.objects.get().tries == 0


def test_a_retry_pushes_what_was_refused_again_and_nothing_else(connected, peer):
    bad, good = order(), order()
    peer.node.refuses[str(bad.pk)] = {"quantity": ["Too many."]}
    run_here(connected)
    peer.node.refuses.clear()
    peer.clear_journal()
    Order.objects.filter(pk=good.pk).update(quantity=2)
    run_here(connected, scope=failed(connected))
    assert sent(peer) == [[str(bad.pk)]]
    assert binding_of(bad).rejected is None


def test_what_a_person_holds_back_is_not_pushed(connected, peer):
    one = order()
    run_here(connected)
    Binding.objects.update(on_hold=True)
    Order.objects.filter(pk=one.pk).update(quantity=2)
    with quiet(peer):
        run_here(connected)
    Binding.objects.update(on_hold=False)
    run_here(connected)
    assert peer.node.contents == ours()
