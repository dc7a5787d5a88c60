"""Validation of items: what no correct peer sends, and what can't be stored.

The same object twice in a message is a bug in the program at the other end: the whole message is refused. Every other
fault refuses its item only, for it may be another node's, or come from an ordinary edit there. The author, reason and
time of an edit decide nothing, so they are corrected rather than refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.conf import settings

from backoffice.kit.api.problems import FieldError, InvalidError
from syncer.core.merge import EXISTS, By, Edits, VersionVector, node_of
from syncer.models.mapping import NOT_STORABLE, is_storable
from syncer.targets.peer.identity import is_far
from syncer.targets.peer.message import Item, time_of

LONGEST = 256  # characters that are kept of a name or a reason, as in the history
OUR_WRITER = 20  # digits: 12 of the time, 8 random
EDITS = 64  # concurrent ones of one field; more would need more nodes than a pair, or a hub with spokes, has
WRITERS = 1000  # that a message may name for one object


def refuse_repeated(items: Iterable[Item]) -> None:
    """Check that a message contains each object once.

    Raises:
        InvalidError: an object appears twice.
    """
    keys: set[str] = set()
    for position, item in enumerate(items):
        if item.key in keys:
            raise InvalidError(FieldError(f"items.{position}.key", f"{item.key} appears twice in one batch."))
        keys.add(item.key)


def faults_of_item(item: Item) -> dict[str, list[str]]:
    """Return what in an item can't be true, or can't be stored by every database, `{"field": ["why"]}`."""
    seen, faults = item.state.seen, dict[str, list[str]]()
    for name, edits in item.state.fields.items():
        if whys := [*_faults_of(edits, seen)]:
            faults[name] = whys
    exists = item.state.fields.get(EXISTS, ())
    if not exists or any(not isinstance(edit.value, bool) for edit in exists):
        faults.setdefault(EXISTS, []).append("It must have an edit, and each must be true or false.")
    if len(seen) > WRITERS:
        faults.setdefault("", []).append(f"It names more than {WRITERS} writers.")
    if any(not _is_possible(writer) for writer in seen):
        faults.setdefault("", []).append("It names an impossible incarnation.")
    return faults


def _faults_of(edits: Edits, seen: VersionVector) -> Iterator[str]:
    if len(edits) > EDITS:
        yield f"It has more than {EDITS} edits."
    elif any(not edit.is_in(seen) for edit in edits):
        yield "It has an edit that its own 'seen' does not know."
    elif len({edit.writer for edit in edits}) < len(edits):
        yield "It has two edits of one writer: the later one overrules the other."
    elif not is_storable([edit.value for edit in edits]):
        yield f"{NOT_STORABLE}."


def _is_possible(writer: str) -> bool:
    """Return whether a writer can exist: all of ours have one length, and no writer's time is far ahead."""
    is_ours = node_of(writer) == settings.NODE
    return not is_far(writer) and (not is_ours or len(writer.partition(":")[2]) == OUR_WRITER)


def with_storable_authors(edits: Edits) -> Edits:
    """Return the edits with names, reasons and times that can be stored and shown."""
    corrected = []
    for edit in edits:
        by = By(user=_text(edit.by.user), reason=_text(edit.by.reason), at=edit.by.at if time_of(edit.by) else "")
        corrected.append(edit if by == edit.by else replace(edit, by=by))
    return tuple(corrected)


def _text(text: str) -> str:
    return text.replace("\0", "\ufffd")[:LONGEST]
