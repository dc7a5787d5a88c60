"""Edit orders at a store and a warehouse at the same time, sync them, and prove that both hold the same."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.models import Replica, Run, Target
from syncer.targets.peer.pair.equality import compare_all
from tools.demo_day import SHOWN, say
from tools.demo_warehouse import Edit, HandedOver, Warehouse
from tools.nodes import Node

FIELDS = ("product_name", "quantity", "status")
SHIPPED = {"status": "SHIPPED"}
NEW: dict[str, object] = {"product_name": "Desk lamp", "quantity": 2, "status": "PENDING"}


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """The edits of one order at both ends between two syncs.

    Attributes:
        new: whether the first edit creates the order.
        store, warehouse: the edits at each end.
        to_hand_over: how often the store, and the warehouse, has to send the order.
        becomes: fields that the order has at both ends afterwards; None if it is deleted.
    """

    title: str
    order: UUID
    new: bool = False
    store: tuple[Edit, ...] = ()
    warehouse: tuple[Edit, ...] = ()
    to_hand_over: tuple[int, int] = (0, 0)
    becomes: Edit = None


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
    yield from at_one_end(orders)
    yield from at_both_ends(orders)


def at_one_end(orders: Iterator[UUID]) -> Iterator[Chapter]:
    five: tuple[Edit, ...] = tuple({"quantity": 20 + number} for number in range(5))
    key = next(orders)
    yield Chapter(title="Edited 5 times at the store", order=key, store=five, to_hand_over=(1, 0), becomes=five[-1])
    key = next(orders)
    yield Chapter(
        title="Shipped by the warehouse", order=key, warehouse=(SHIPPED,), to_hand_over=(0, 1), becomes=SHIPPED
    )
    key = uuid4()
    yield Chapter(
        title="Made at the warehouse", order=key, new=True, warehouse=(NEW,), to_hand_over=(0, 1), becomes=NEW
    )
    yield Chapter(title="Made and deleted at the store", order=uuid4(), new=True, store=(NEW, None))
    key = next(orders)
    old = {"quantity": Order.objects.get(pk=key).quantity}
    yield Chapter(title="An edit and its undo", order=key, store=({"quantity": 99}, old), becomes=old)


def at_both_ends(orders: Iterator[UUID]) -> Iterator[Chapter]:
    def both(title: str, store: Edit, warehouse: Edit, becomes: Edit) -> Chapter:
        key, needed = next(orders), (1, 1)
        return Chapter(
            title=title, order=key, store=(store,), warehouse=(warehouse,), to_hand_over=needed, becomes=becomes
        )

    more, less = {"quantity": 40}, {"quantity": 4}
    yield both("Another field at each end", more, SHIPPED, {**more, **SHIPPED})
    yield both("The same field: the store decides", more, less, more)
    yield both("Deleted there, edited here: it stays", more, None, more)
    yield both("Deleted here, edited there: it goes", None, SHIPPED, None)
    yield both("Two names: a person is asked", {"product_name": "Oak book end"}, {"product_name": "Beech book end"}, {})


def decision(asked: Chapter) -> Chapter:
    """Return the chapter that resolves the conflict: an ordinary edit, which overrules both."""
    [chosen] = asked.warehouse
    return Chapter(title="The decision", order=asked.order, store=(chosen,), to_hand_over=(1, 0), becomes=chosen)


def act(chapters: list[Chapter], other: Warehouse, *, rounds: int) -> bool:
    """Make the edits, sync, and print edits against orders sent; return whether each chapter sent what it had to."""
    for chapter in chapters:
        carry_out(chapter, other)
    sent = [item for _ in range(rounds) for item in exchange(other)]
    line = "{:38} {:>6}   {:16} {}".format
    say(line("edits", "saves", "to push → ←", "pushed → ←"))
    for chapter in chapters:
        saves = len(chapter.store) + len(chapter.warehouse)
        say(
            line(
                chapter.title,
                saves,
                *("{} {}".format(*numbers) for numbers in (chapter.to_hand_over, ways(chapter, sent))),
            )
        )
    needed = sum(sum(chapter.to_hand_over) for chapter in chapters)
    saves = sum(len(chapter.store) + len(chapter.warehouse) for chapter in chapters)
    say(line("together", saves, needed, f"{len(sent)} in {requests_(sent)}"))
    return all(ways(chapter, sent) == chapter.to_hand_over for chapter in chapters) and len(sent) == needed


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


def ways(chapter: Chapter, sent: HandedOver) -> tuple[int, int]:
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
