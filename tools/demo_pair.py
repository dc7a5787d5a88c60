"""Edit orders at a store and a warehouse at the same time, sync them, and prove that both hold the same."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.models import Replica, Run, Target
from syncer.targets.peer.pair.equality import compare_all
from tools.demo_day import SHOWN
from tools.demo_warehouse import Edit, HandedOver, Warehouse
from tools.nodes import Node
from tools.run import say

FIELDS = ("product_name", "quantity", "status")
SHIPPED = {"status": "SHIPPED"}
NEW: dict[str, object] = {"product_name": "Desk lamp", "quantity": 2, "status": "PENDING"}


@dataclass(frozen=True)
class Chapter:
    """The edits of one order at both ends, `store` and `warehouse`, between two syncs."""

    title: str
    order: UUID
    new: bool = field(default=False, kw_only=True)  # the first edit creates the order
    store: tuple[Edit, ...] = ()
    warehouse: tuple[Edit, ...] = ()
    to_hand_over: tuple[int, int] = (0, 0)  # how often the store, and the warehouse, has to send the order
    becomes: Edit = None  # fields that the order has at both ends afterwards; None if it is deleted


def run_pair(*, warehouse: Node, user: str, password: str) -> bool:
    """Match, edit at both ends, sync, decide; return whether both ends are equal, and each request was needed."""
    other = Warehouse(warehouse, user, password)
    say("\nA second act: orders, which both ends edit. They meet …")
    matched = exchange(other)
    say(f"  {len(matched)} orders pushed in {requests_(matched)}.")
    say("Both ends edit, not hearing of each other, and then sync …\n")
    chapters = list(day())
    is_needed = act(chapters, other, rounds=2)
    conflicts = list(Replica.objects.exclude(conflicts=None))
    is_asked = [UUID(replica.object_key) for replica in conflicts] == [chapters[-1].order]
    say(f"\n{len(conflicts)} conflict waits for a person, who takes the warehouse's words …\n")
    decided = decision(chapters[-1])
    is_needed &= act([decided], other, rounds=1)
    quiet = exchange(other) + exchange(other)
    say(f"\nSynced both ways twice more: {requests_(quiet)}.")
    differences = [*wrong([*chapters[:-1], decided]), *compare(other)]
    for text in differences[:SHOWN]:
        say(text)
    if not differences:
        say(f"Both ends are equal, order by order: {Order.objects.count()} orders.")
    return is_needed and is_asked and not quiet and not differences and are_proved_equal()


def day() -> Iterator[Chapter]:
    """Yield the chapters, each about an order of its own; the last ends in a conflict."""
    orders = iter(Order.objects.filter(status="PENDING").order_by("pk").values_list("pk", flat=True))
    five: tuple[Edit, ...] = tuple({"quantity": 20 + number} for number in range(5))
    yield Chapter("Edited 5 times at the store", next(orders), store=five, to_hand_over=(1, 0), becomes=five[-1])
    yield Chapter("Shipped by the warehouse", next(orders), warehouse=(SHIPPED,), to_hand_over=(0, 1), becomes=SHIPPED)
    yield Chapter("Made at the warehouse", uuid4(), new=True, warehouse=(NEW,), to_hand_over=(0, 1), becomes=NEW)
    yield Chapter("Made and deleted at the store", uuid4(), new=True, store=(NEW, None))
    key = next(orders)
    old = {"quantity": Order.objects.get(pk=key).quantity}
    yield Chapter("An edit and its undo", key, store=({"quantity": 99}, old), becomes=old)

    more, less = {"quantity": 40}, {"quantity": 4}
    oak, beech = {"product_name": "Oak book end"}, {"product_name": "Beech book end"}
    both_ends: list[tuple[str, Edit, Edit, Edit]] = [
        ("Another field at each end", more, SHIPPED, {**more, **SHIPPED}),
        ("The same field: the store decides", more, less, more),
        ("Deleted there, edited here: it stays", more, None, more),
        ("Deleted here, edited there: it goes", None, SHIPPED, None),
        ("Two names: a person is asked", oak, beech, {}),
    ]
    for title, here, there, becomes in both_ends:
        yield Chapter(title, next(orders), store=(here,), warehouse=(there,), to_hand_over=(1, 1), becomes=becomes)


def decision(asked: Chapter) -> Chapter:
    """Return the chapter that resolves the conflict: an ordinary edit, which overrules both."""
    [chosen] = asked.warehouse
    return Chapter("The decision", asked.order, store=(chosen,), to_hand_over=(1, 0), becomes=chosen)


def act(chapters: list[Chapter], other: Warehouse, *, rounds: int) -> bool:
    """Make the edits, sync, and print edits against orders sent; return whether each chapter sent what it had to."""
    for chapter in chapters:
        carry_out(chapter, other)
    sent = [item for _ in range(rounds) for item in exchange(other)]
    line = "{:38} {:>6}   {:16} {}".format
    say(line("edits", "saves", "to push → ←", "pushed → ←"))
    for chapter in chapters:
        saves = len(chapter.store) + len(chapter.warehouse)
        numbers = ("{} {}".format(*ways) for ways in (chapter.to_hand_over, ways_of(chapter, sent)))
        say(line(chapter.title, saves, *numbers))
    needed = sum(sum(chapter.to_hand_over) for chapter in chapters)
    saves = sum(len(chapter.store) + len(chapter.warehouse) for chapter in chapters)
    say(line("together", saves, needed, f"{len(sent)} in {requests_(sent)}"))
    return all(ways_of(chapter, sent) == chapter.to_hand_over for chapter in chapters) and len(sent) == needed


def carry_out(chapter: Chapter, other: Warehouse) -> None:
    for number, edit in enumerate(chapter.store):
        if edit is None:
            Order.objects.get(pk=chapter.order).delete()
        elif chapter.new and number == 0:
            Order.objects.create(pk=chapter.order, **edit)
        else:
            order = Order.objects.get(pk=chapter.order)
            for name, value in edit.items():
                setattr(order, name, value)
            order.save(update_fields=list(edit))
    for number, edit in enumerate(chapter.warehouse):
        if edit is not None and chapter.new and number == 0:
            other.create(chapter.order, edit)
        else:
            other.edit(chapter.order, edit)


def exchange(other: Warehouse) -> HandedOver:
    """Sync both ways, the store first; return what was sent."""
    run = run_here(Target.objects.get(name="warehouse"))
    if run.state != Run.State.DONE:
        say(run.message)
    rows = run.attempts.filter(action="push").values_list("binding__object_key", "at")
    return [*((UUID(key), f"store {at}") for key, at in rows), *other.sync()]


def ways_of(chapter: Chapter, sent: HandedOver) -> tuple[int, int]:
    """Return how often the chapter's order was sent by the store, and by the warehouse."""
    senders = Counter(request.split(" ")[0] for key, request in sent if key == chapter.order)
    return senders["store"], senders["warehouse"]


def requests_(sent: HandedOver) -> str:
    """Return the number of requests in words."""
    return counted(len({request for _, request in sent}))


def counted(number: int) -> str:
    return f"{number} request" if number == 1 else f"{number} requests"


def are_proved_equal() -> bool:
    """Return whether the digests of both nodes, of ranges of orders and of version vectors, are equal."""
    [comparison] = compare_all(Target.objects.get(name="warehouse"))
    if comparison.differences.is_equal:
        say(f"So say their digests, of {comparison.bytes} bytes in {counted(comparison.requests)}.")
    return comparison.differences.is_equal


def wrong(chapters: list[Chapter]) -> Iterator[str]:
    """Yield each difference between an order and what its chapter had to make of it, as a sentence."""
    for chapter in chapters:
        order = Order.objects.filter(pk=chapter.order).values(*FIELDS).first()
        if order is None or chapter.becomes is None:
            if order != chapter.becomes:
                yield f"{chapter.title}: the order is {order}."
        elif differs := [name for name, value in chapter.becomes.items() if order[name] != value]:
            yield f"{chapter.title}: {', '.join(differs)} of the order: {order}."


def compare(other: Warehouse) -> Iterator[str]:
    """Yield every difference between the two ends, as a sentence."""
    theirs = other.orders()
    for row in Order.objects.values("pk", *FIELDS):
        record = theirs.pop(row["pk"], None)
        if record is None:
            yield f"The order {row['pk']} is not at the warehouse."
        elif differs := [name for name in FIELDS if row[name] != record[name]]:
            yield f"The order {row['pk']} differs: {', '.join(differs)}."
    yield from (f"The order {key} is at the warehouse only." for key in theirs)
