"""Messages about a peer: how a run ended, what waits, what a sync would send; and what does not apply to peers."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from content.orders.models import Order
from syncer.core.errors import NotPossibleError
from syncer.engine.runs import run_here
from syncer.models import Binding, Replica, Run, Target
from syncer.reports.preview import preview
from syncer.targets.rest import doubt
from syncer.targets.rest.first_load import load_target
from tests.content.pages import administrator
from tests.remote import Fault
from tests.syncer.targets.peer.outbound.support import NOON, binding_of, by_itself, hand_in, key_here, order, quiet

pytestmark = pytest.mark.django_db(transaction=True)


def answer_of(capsys, *command):
    """Run the command; return the JSON that it prints, and its exit status."""
    status: object = 0
    try:
        call_command(*command, "--json")
    except SystemExit as ended:
        status = ended.code
    return json.loads(capsys.readouterr().out), status


# --- runs ------------------------------------------------------------------------------------------------------------
def test_a_run_says_how_many_objects_were_pushed(connected, peer):
    for _ in range(3):
        order()
    run = run_here(connected)
    assert run.message == "3 pushed."
    assert run.counts == {"pushed": 3, "requests": 1, "failed": 0, "left": 0}


def test_a_run_says_how_many_were_refused(connected, peer):
    bad, _ = order(), order()
    peer.node.refuses[str(bad.pk)] = {"quantity": ["Too many."]}
    run = run_here(connected)
    assert run.message == "1 pushed. Not delivered: 1 rejected."
    assert run.counts == {"pushed": 1, "requests": 1, "failed": 1, "left": 1}


def test_a_run_with_nothing_to_push_says_so(connected):
    assert run_here(connected).message == "Nothing to send: the peer has seen all that was edited here."


def test_a_run_that_could_not_greet_the_peer_says_so_and_is_not_done_for_whoever_asked(pair, peer):
    peer.fault(Fault.RESET, times=2)
    run = run_here(pair)
    unanswered = (
        "warehouse did not answer when this node introduced itself; 0 changes are kept, the next try is automatic"
    )
    assert run.message == unanswered
    assert run.state == "failed"
    assert by_itself(pair).state == "done", "else each try would leave a row"


def test_the_page_of_a_run_counts_what_was_pushed(connected, peer):
    order()
    run = run_here(connected)
    page = administrator().get(f"/admin/syncer/run/{run.pk}/change/").content.decode()
    assert 'data-count="pushed">1<' in page
    assert "created" not in json.dumps(run.counts)


# --- preview ---------------------------------------------------------------------------------------------------------
def rows():
    """Return all rows that a sync writes."""
    kept = [list(model.objects.order_by("pk").values()) for model in (Replica, Binding, Target, Run)]
    return json.dumps(kept, default=str)


def test_a_preview_shows_what_would_be_pushed_and_writes_nothing(connected, peer):
    new, changed, gone, same = (order(product_name=name, created_at=NOON) for name in ("new", "old", "gone", "same"))
    Binding.objects.all().delete()
    run_here(connected, scope={"orders.Order": [key_here(one) for one in (changed, gone, same)]})
    Order.objects.filter(pk=changed.pk).update(product_name="changed")
    key = key_here(gone)
    gone.delete()
    before = rows()
    with quiet(peer):
        found = {one.name: one for one in preview(connected)}
    assert rows() == before
    assert {name: one.fields for name, one in found.items()} == {
        f"orders.Order:{key_here(new)}": {
            "product_name": (None, "new"),
            "quantity": (None, 1),
            "status": (None, "PENDING"),
            "created_at": (None, NOON),
        },
        f"orders.Order:{key_here(changed)}": {"product_name": ("old", "changed")},
        f"orders.Order:{key}": {"exists": (True, False)},
    }
    assert {one.action.value for one in found.values()} == {"push"}


def test_a_preview_shows_what_was_stamped_but_not_yet_seen(connected, peer):
    one = order()
    run_here(connected)
    peer.node.later.add(str(one.pk))
    Order.objects.filter(pk=one.pk).update(quantity=2)
    run_here(connected)
    assert [planned.fields for planned in preview(connected)] == [{"quantity": (1, 2)}]


def test_a_preview_of_what_the_peer_has_seen_is_empty(connected, peer, live_server, capsys):
    order()
    run_here(connected)
    peer.node.create({"product_name": "desk", "quantity": 1, "status": "PENDING", "created_at": NOON})
    hand_in(peer, live_server)
    assert list(preview(connected)) == []
    answer, status = answer_of(capsys, "sync_now", "warehouse", "--preview")
    assert (answer["planned"], status) == ([], 0)
    assert answer["message"] == "Nothing to send: the peer has seen all that was edited here."


def test_the_preview_page_shows_the_fields(connected, peer):
    order(product_name="a lamp")
    page = administrator().get(f"/admin/syncer/target/{connected.pk}/preview/").content.decode()
    assert "A sync would send 1 change" in page
    assert "<ins>a lamp</ins>" in page


# --- status ----------------------------------------------------------------------------------------------------------
def test_sync_status_names_the_peer_itself_and_conflicts(pair, peer, capsys):
    answer, _ = answer_of(capsys, "sync_status")
    assert answer["peers"] == {"warehouse": {"node": "warehouse", "contact": None, "knows_us": False}}
    order()
    run_here(pair)
    answer, status = answer_of(capsys, "sync_status")
    assert (answer["peers"]["warehouse"]["knows_us"], status) == (True, 0)
    assert answer["peers"]["warehouse"]["contact"]
    Replica.objects.update(conflicts={"quantity": "ask"})
    answer, status = answer_of(capsys, "sync_status")
    assert (answer["routes"][0]["conflicts"], status) == (1, 1)
    with pytest.raises(SystemExit):
        call_command("sync_status")
    assert "warehouse is the peer warehouse: last contact 20" in capsys.readouterr().out


# --- not for peers ---------------------------------------------------------------------------------------------------
def test_there_is_no_first_load_from_a_peer(connected, peer):
    with quiet(peer), pytest.raises(NotPossibleError, match="warehouse is a peer: there is no first load"):
        load_target(connected)
    with pytest.raises(CommandError, match="Each end automatically sends what the other lacks"):
        call_command("sync_import", "warehouse")


def test_nothing_of_a_peer_is_ever_in_doubt(connected, peer):
    one = order()
    peer.node.refuses[str(one.pk)] = {"quantity": ["Too many."]}
    run_here(connected)
    Binding.objects.update(look_first=True, gone=True)
    assert doubt.question(binding_of(one)) is None
    assert not doubt.asked_of(connected)
    with pytest.raises(CommandError, match="warehouse is a peer: nothing is ever in doubt there"):
        call_command("sync_resolve", "warehouse")


def test_a_target_that_was_sent_to_does_not_become_a_peer_nor_stop_being_one(connected, peer):
    connected.kind, connected.peer_node, connected.peer_user = "rest", "", None
    connected.full_clean()
    order()
    run_here(Target.objects.get())
    with pytest.raises(ValidationError, match="create another target"):
        connected.full_clean()
