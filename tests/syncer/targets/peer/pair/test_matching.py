"""The first matching of two nodes that both have data, by their keys or by a natural key."""

from base64 import b64encode
from datetime import timedelta
from importlib import import_module
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from content.messaging.models import Bot, Message
from content.orders.models import Order
from syncer.core.errors import NotPossibleError
from syncer.engine.runs import run_here
from syncer.models import Binding, Replica, Route, Target
from syncer.models.keys import key_of
from syncer.targets.peer.matching import look as matching
from syncer.targets.peer.matching.rekey import rekey
from tests.syncer.targets.peer.pair.conftest import hold, orders, share
from tests.syncer.targets.peer.pair.node import NAME, PASSWORD

pytestmark = [
    pytest.mark.quick("sqlite"),
    pytest.mark.django_db(transaction=True),
]  # what is rolled back looks like a restore


def named(*names, first=1):
    found = orders(len(names), first=first)
    for order, name in zip(found, names, strict=True):
        order.product_name = name
    return found


@pytest.fixture
def natural(target, there):
    """Orders are matched by the product's name, at both ends."""
    there.share(lookup=["product_name"])
    return share(target, lookup=["product_name"])


@pytest.fixture
def rest(remote):
    """Another target, which has a record of each order."""
    target = Target.objects.create(name="fakeapi", url=remote.url, timeout=5)
    Route.objects.create(target=target, model="orders.Order", path="/posts", fields={"title": "product_name"})
    return target


def history(key):
    found = Order.history.filter(id=key).order_by("history_id")
    return list(found.values_list("history_type", "history_change_reason"))


# --- by key ----------------------------------------------------------------------------------------------------------
def test_the_preview_counts_and_says_what_would_decide(there, target, route, capsys):
    both = orders(6)
    hold(both[:5])
    both[1].quantity, both[1].status = 77, "SHIPPED"
    there.hold([*both[:4], both[5]])
    call_command("sync_match", target.name)
    output = capsys.readouterr().out
    assert "orders.Order: 3 objects are equal, 1 have one key and differ, 1 are only here, 1 only there." in output
    assert f"  {both[1].pk} differs:\n    quantity: here 2, there 77; decides: store\n" in output
    assert "    status: here 'PENDING', there 'SHIPPED'; decides: warehouse" in output


def test_the_preview_says_where_a_person_would_decide(there, target, route):
    Target.objects.filter(pk=target.pk).update(matching=Target.Matching.ASK)
    both = orders(1)
    hold(both)
    both[0].quantity = 77
    there.hold(both)
    target.refresh_from_db()
    (one,) = matching.preview(target)
    assert [(field.name, field.decides) for field in one.differing[0].fields] == [("quantity", "a person")]


@pytest.mark.slow
def test_equal_objects_exchange_stamps_and_write_no_content(there, target, route, live_server):
    both = orders(40)
    hold(both)
    there.hold(both)
    Route.objects.update(mark="", fingerprint="")
    there.sql("UPDATE syncer_route SET mark = '', fingerprint = ''")
    there.sql("UPDATE syncer_target SET url = ?", f"{live_server.url}/api")
    assert run_here(target).state == "done"
    there.manage("sync_now", "store")
    assert Order.history.count() == 0
    assert there.sql("SELECT count(*) FROM orders_historicalorder") == [(0,)]
    ours = {UUID(key): set(seen) for key, seen in Replica.objects.values_list("object_key", "seen")}
    assert len(ours) == 40
    assert {frozenset(one.partition(":")[0] for one in seen) for seen in ours.values()} == {frozenset({"test", NAME})}
    assert Replica.objects.filter(conflicts__isnull=False).count() == 0


def test_differing_objects_follow_the_authority(there, target, route):
    both = orders(1)
    hold(both)
    both[0].quantity, both[0].status = 77, "SHIPPED"
    there.hold(both)
    Route.objects.update(mark="", fingerprint="", authority={"quantity": "test"})
    there.sql("UPDATE syncer_route SET authority = ?", '{"quantity": "test"}')
    assert run_here(target).state == "done"
    assert there.sql("SELECT quantity, status FROM orders_order") == [(1, "SHIPPED")]


@pytest.mark.slow
def test_differing_objects_are_asked_about_at_the_end_that_asks(there, target, route, live_server):
    both = orders(1)
    hold(both)
    both[0].quantity = 77
    there.hold(both)
    Route.objects.update(mark="", fingerprint="")
    Target.objects.update(matching=Target.Matching.ASK)
    there.sql("UPDATE syncer_target SET matching = 'ask', url = ?", f"{live_server.url}/api")
    target.refresh_from_db()
    run_here(target)
    there.manage("sync_now", "store", may_fail=True)
    assert there.sql("SELECT quantity FROM orders_order") == [(77,)]
    assert Order.objects.get().quantity == 1
    assert there.sql("SELECT conflicts FROM syncer_replica") == [('{"quantity": "ask"}',)]
    assert Replica.objects.get().conflicts == {"quantity": "ask"}


# --- by a natural key ------------------------------------------------------------------------------------------------
def test_nothing_is_sent_before_a_person_said_how_objects_are_matched(there, target, natural):
    hold(named("Lamp"))
    Route.objects.update(mark="", fingerprint="")
    run_here(target)
    target.refresh_from_db()
    assert "orders.Order has not been matched with warehouse" in target.blocked
    assert "manage.py sync_match warehouse" in target.blocked
    assert there.sql("SELECT count(*) FROM orders_order") == [(0,)]


def test_nothing_is_taken_before_a_person_said_how_objects_are_matched(client, target, natural):
    sign_in = b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    item = {"key": str(uuid4()), "seen": {f"{NAME}:00": 1}, "fields": {"exists": [[f"{NAME}:00", 1, True, "", "", ""]]}}
    batch = {"node": NAME, "writer": f"{NAME}:00", "model": "orders.Order", "items": [item]}
    answer = client.post(
        "/api/sync/changes", batch, content_type="application/json", headers={"authorization": f"Basic {sign_in}"}
    )
    assert answer.status_code == 503
    assert "orders.Order has not been matched with warehouse" in answer.json()["detail"]
    assert not Replica.objects.exists()


@pytest.mark.slow
def test_objects_with_one_natural_key_take_the_peers_keys(there, target, natural, capsys):
    ours, theirs = named("Lamp", "Shelf", "Hook"), named("Shelf", "Lamp", first=100)
    hold(ours)
    there.hold(theirs)
    with pytest.raises(SystemExit):
        call_command("sync_match", target.name)
    output = capsys.readouterr().out
    assert f"the same by its natural key: {ours[0].pk} here, {theirs[1].pk} there" in output
    assert "Nothing travels yet." in output
    call_command("sync_match", target.name, "--match")
    assert "2 objects are equal, 0 have one key" not in capsys.readouterr().out  # they were made at other times
    names = dict(Order.objects.values_list("pk", "product_name"))
    assert names == {theirs[1].pk: "Lamp", theirs[0].pk: "Shelf", ours[2].pk: "Hook"}
    assert history(ours[0].pk) == [("-", f"The same as {theirs[1].pk} at warehouse")]
    assert history(theirs[1].pk) == [("+", f"Had the key {ours[0].pk} before")]
    assert history(ours[2].pk) == []
    assert Route.objects.get().matched_at is not None
    assert Target.objects.get().blocked == ""


def test_after_the_meeting_no_object_is_there_twice(there, target, natural):
    hold(named("Lamp", "Hook"))
    there.hold(named("Lamp", first=100))
    there.sql("UPDATE syncer_route SET matched_at = '2026-01-01'")
    call_command("sync_match", target.name, "--match")
    Route.objects.update(mark="", fingerprint="")
    target.refresh_from_db()
    assert run_here(target).state == "done"
    assert there.sql("SELECT product_name FROM orders_order ORDER BY 1") == [("Hook",), ("Lamp",)]


@pytest.mark.slow
def test_what_a_natural_key_does_not_tell_apart_is_listed_and_left(there, target, natural, capsys):
    ours = named("Lamp", "Lamp")
    hold(ours)
    there.hold(named("Lamp", first=100))
    with pytest.raises(SystemExit) as ended:
        call_command("sync_match", target.name, "--match")
    assert ended.value.code == 1
    assert f"""can't be told apart by ["Lamp"]: {ours[0].pk}, {ours[1].pk} here""" in capsys.readouterr().out
    assert Route.objects.get().matched_at is None
    assert {order.pk for order in ours} == {*Order.objects.values_list("pk", flat=True)}


def test_by_key_lets_objects_with_different_keys_travel(there, target, natural):
    hold(named("Lamp"))
    there.hold(named("Lamp", first=100))
    call_command("sync_match", target.name, "--by-key")
    assert Route.objects.get().is_matched


def test_an_object_that_was_shared_already_keeps_its_key(there, target, natural, capsys):
    (ours,) = named("Lamp")
    hold([ours])
    there.hold(named("Lamp", first=100))
    Replica.objects.create(model="orders.Order", object_key=key_of(Order, ours.pk), seen={"test:00": 1})
    with pytest.raises(SystemExit):
        call_command("sync_match", target.name, "--match")
    assert f"can't be matched: {ours.pk} was shared with a peer already" in capsys.readouterr().out
    assert Order.objects.get().pk == ours.pk


@pytest.mark.slow
def test_to_other_targets_it_stays_the_same_object(there, target, natural, rest, remote):
    ours, theirs = named("Lamp"), named("Lamp", first=100)
    hold(ours)
    there.hold(theirs)
    run_here(rest)
    record = Binding.objects.get().remote_id
    remote.clear_journal()
    call_command("sync_match", target.name, "--match")
    run = run_here(rest)
    assert (run.state, remote.journal) == ("done", [])
    assert Binding.objects.get(object_key=key_of(Order, theirs[0].pk)).remote_id == record
    assert Binding.objects.filter(remote_id__isnull=False).count() == 1


def test_an_object_that_is_being_delivered_is_not_given_another_key(there, target, natural, rest):
    ours = named("Lamp")
    hold(ours)
    there.hold(named("Lamp", first=100))
    run_here(rest)
    Binding.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    with pytest.raises(CommandError, match="is being delivered just now"):
        call_command("sync_match", target.name, "--match")
    assert Order.objects.get().pk == ours[0].pk
    assert not Order.history.exists()


# --- what points to it -----------------------------------------------------------------------------------------------
@pytest.fixture
def bots(target):
    """Make a bot with a message, and return it with its new key."""
    route = share(target, "messaging.Bot", lookup=["name"])
    bot = Bot.objects.create(pk=uuid4(), name="Greeter")
    message = Message.objects.create(
        bot=bot, direction="to", client="c", conversation=uuid4(), timestamp=timezone.now(), text="Hello"
    )
    return route, bot, message, uuid4()


@pytest.fixture
def mutable():
    """Messages that can be changed, as the rows of other domains can."""
    rule = import_module("content.messaging.migrations.0002_immutable")
    _execute(rule.BACKWARD[connection.vendor])
    yield
    _execute(rule.FORWARD[connection.vendor])


def _execute(statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_what_points_to_the_object_follows_it(bots, mutable):
    route, bot, message, new = bots
    rekey(route, {str(bot.pk): str(new)})
    message.refresh_from_db()
    assert message.bot_id == new
    newest = message.history.first()
    assert (newest.history_type, newest.bot_id) == ("~", new)
    assert newest.history_change_reason == "What it belongs to (bot) has another key now"
    assert message.history.last().bot_id == bot.pk
    assert [one.history_type for one in Bot.history.order_by("history_id")] == ["+", "-", "+"]


def test_where_the_database_refuses_nothing_is_changed(bots):
    route, bot, _, new = bots
    with pytest.raises(NotPossibleError, match="the database does not let objects have other keys"):
        rekey(route, {str(bot.pk): str(new)})
    assert Bot.objects.get().pk == bot.pk
    assert Bot.history.count() == 1
