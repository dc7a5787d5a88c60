"""What no honest peer says, and what can't be kept.

One object twice in a message is a fault of the program at the other end, and refuses the message. All else refuses its
own item only: it may be about another node than the one that speaks, or come from an ordinary edit there. Who edited,
why and when decide nothing, so they are mended rather than refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.conf import settings

from backoffice.kit.api.problems import FieldError, InvalidError
from syncer.core.merge import EXISTS, By, Edit, Edits, VersionVector, node_of
from syncer.models.mapping import NOT_STORABLE, is_storable
from syncer.targets.peer.identity import is_far
from syncer.targets.peer.message import Item, time_of

LONGEST = 256  # characters that are kept of a name or a reason, as in the history
OUR_WRITER = 20  # digits: 12 of the time, 8 by chance
EDITS = 64  # of one field that did not know of each other; more nodes would be no pair, and no hub with spokes
WRITERS = 1000  # that a message names of one object


def refuse_repeated(items: Iterable[Item]) -> None:
    """See that a message names each object once.

    Raises:
        InvalidError: it does not.
    """
    keys: set[str] = set()
    for position, item in enumerate(items):
        if item.key in keys:
            raise InvalidError(FieldError(f"items.{position}.key", f"{item.key} appears twice in one batch."))
        keys.add(item.key)


def faults_of_item(item: Item) -> dict[str, list[str]]:
    """What of an item can't be true, or can't be kept by every database, `{"field": ["why"]}`."""
    seen, found = item.state.seen, dict[str, list[str]]()
    for name, edits in item.state.fields.items():
        if whys := [*_faults_of(edits, seen)]:
            found[name] = whys
    exists = item.state.fields.get(EXISTS, ())
    if not exists or any(not isinstance(one.value, bool) for one in exists):
        found.setdefault(EXISTS, []).append("It must have an edit, and each must be true or false.")
    if len(seen) > WRITERS:
        found.setdefault("", []).append(f"It names more than {WRITERS} writers.")
    if any(not _could_be(one) for one in seen):
        found.setdefault("", []).append("It names an impossible incarnation.")
    return found


def _faults_of(edits: Edits, seen: VersionVector) -> Iterator[str]:
    if len(edits) > EDITS:
        yield f"It has more than {EDITS} edits."
    elif any(not one.is_in(seen) for one in edits):
        yield "It has an edit that its own 'seen' does not know."
    elif len({one.writer for one in edits}) < len(edits):
        yield "It has two edits of one writer: the later one overrules the other."
    elif not is_storable([one.value for one in edits]):
        yield f"{NOT_STORABLE}."


def _could_be(writer: str) -> bool:
    """Ours are all of one length; and nobody's is of a time that is far from now."""
    is_ours = node_of(writer) == settings.NODE
    return not is_far(writer) and (not is_ours or len(writer.partition(":")[2]) == OUR_WRITER)


def mended(edits: Edits) -> Edits:
    """With names, reasons and times that can be kept and shown."""
    return tuple(_mended(one) for one in edits)


def _mended(one: Edit) -> Edit:
    by = By(user=_text(one.by.user), reason=_text(one.by.reason), at=one.by.at if time_of(one.by) else "")
    return one if by == one.by else replace(one, by=by)


def _text(text: str) -> str:
    return text.replace("\0", "\ufffd")[:LONGEST]
