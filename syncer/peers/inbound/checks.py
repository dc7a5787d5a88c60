"""What no honest peer says, and what can't be kept.

The first is a fault of the program at the other end, and refuses the whole message; nothing of it could be trusted. The
second may come from an ordinary edit there, so it refuses its own item only. Who edited, why and when decide nothing,
so they are mended rather than refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from django.conf import settings

from backoffice.kit.api.problems import FieldError, Invalid
from syncer.core.replica import EXISTS, By, Edit, Edits, node_of
from syncer.models.checks import NOT_STORABLE, is_storable
from syncer.peers.message import Item

LONGEST = 256  # characters that are kept of a name or a reason, as in the history
OUR_WRITER = 20  # digits: 12 of the time, 8 by chance
LAST_TIME = "f" * 11  # no time of ours begins so, or there would be no later one


def refuse_dishonest(items: Iterable[Item]) -> None:
    """See that the items could be what a node says.

    Raises:
        Invalid: one could not; it names which, and why.
    """
    keys: set[str] = set()
    for position, item in enumerate(items):
        if item.key in keys:
            raise Invalid(FieldError(f"items.{position}.key", f"{item.key} comes twice in one batch."))
        keys.add(item.key)
        if why := next(_dishonest(item), ""):
            raise Invalid(FieldError(f"items.{position}", f"{item.key}: {why}"))


def _dishonest(item: Item) -> Iterator[str]:
    fields, seen = item.state.fields, item.state.seen
    for name, edits in fields.items():
        if any(not one.is_in(seen) for one in edits):
            yield f"{name!r} has an edit that its own 'seen' does not know."
        if len({(one.writer, one.number) for one in edits}) < len(edits):
            yield f"{name!r} has two edits of one number."
    exists = fields.get(EXISTS, ())
    if not exists or any(not isinstance(one.value, bool) for one in exists):
        yield f"{EXISTS!r} must have an edit, and each must be true or false."
    if any(node_of(one) == settings.NODE and not _could_be_ours(one) for one in seen):
        yield f"It knows an incarnation of {settings.NODE} that there can't be."


def _could_be_ours(writer: str) -> bool:
    digits = writer.partition(":")[2]
    return len(digits) == OUR_WRITER and not digits.startswith(LAST_TIME)


def faults_of_item(item: Item) -> dict[str, list[str]]:
    """What of an item can't be kept by every database, `{"field": ["why"]}`."""
    return {
        name: [f"{NOT_STORABLE}."]
        for name, edits in item.state.fields.items()
        if not is_storable([one.value for one in edits])
    }


def mended(edits: Edits) -> Edits:
    """With names, reasons and times that can be kept and shown."""
    return tuple(_mended(one) for one in edits)


def _mended(one: Edit) -> Edit:
    by = By(user=_text(one.by.user), reason=_text(one.by.reason), at=one.by.at if _is_time(one.by.at) else "")
    return one if by == one.by else replace(one, by=by)


def _text(text: str) -> str:
    return text.replace("\0", "\ufffd")[:LONGEST]


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
