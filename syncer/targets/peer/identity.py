"""This node's identity towards its peers: its name, and its incarnation.

Edits are numbered separately for each object, from the numbers in this database. A restored database would give out
numbers that peers have already seen, and the peers would take new edits for old ones. So after a restore the node signs
its edits with another writer: one that no backup can contain, and that sorts after all writers used before.
"""

import secrets
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import IntegrityError, transaction

from syncer.core.merge import VersionVector, node_of
from syncer.models import Incarnation

TRIES = 10
FAR = 7 * 86_400  # seconds; the clocks of two nodes never differ by more
FIRST = "This node had not contacted a peer before."


class BehindError(Exception):
    """A peer knows edits of ours that are not in this database: it was restored, and nothing has detected that yet.

    Attributes:
        known: our newest writer that the peer knows.
    """

    def __init__(self, known: str) -> None:
        super().__init__(known)
        self.known = known


def writer() -> str:
    """Return the writer that signs our edits, such as `store:0193…`; take one if there is none yet."""
    newest = Incarnation.objects.first()
    if newest is not None and node_of(newest.writer) == settings.NODE:
        return newest.writer
    return take(FIRST if newest is None else f"This node was called {node_of(newest.writer)} before.")


def take(why: str, *, after: Iterable[str] = ()) -> str:
    """Take a new incarnation, and return its writer.

    The writer contains the time, which sorts it after those that a lost database may have used, and 32 random bits,
    which distinguish two restores of one backup. Nothing else relies on either.

    Args:
        why: the reason, for people; at most 256 characters of it are kept.
        after: writers of ours, after which the new one sorts, as it does after all in this database.

    Raises:
        IntegrityError: other processes took an incarnation first, TRIES times.
    """
    for _ in range(TRIES):
        newest = Incarnation.objects.first()
        used = [_time_of(known) for known in (*after, *([newest.writer] if newest else ()))]
        moment = max(time.time_ns() // 1_000_000, *(used_at + 1 for used_at in used), 0)
        text = f"{settings.NODE}:{moment:012x}{secrets.token_hex(4)}"
        try:
            with transaction.atomic():
                Incarnation.objects.create(number=newest.number + 1 if newest else 1, writer=text, why=why[:256])
        except IntegrityError as error:
            failure = error  # another process took one first
            if not after:
                return writer()
            continue
        return text
    raise failure


def _time_of(writer: str) -> int:
    """Return the time in a writer, in milliseconds since 1970; it orders the incarnations of one node."""
    text = writer.partition(":")[2][:12]
    return int(text, 16) if text else 0


def is_far(writer: str) -> bool:
    """Return whether a writer's time is too far ahead to come from a clock: no later writer could follow it."""
    return _time_of(writer) > time.time_ns() // 1_000_000 + FAR * 1000


def refuse_behind(me: str, vectors: Iterable[tuple[VersionVector, VersionVector]]) -> None:
    """Check that a peer knows no edit of ours that this database lacks.

    Args:
        me: our writer.
        vectors: the version vectors of each object, here and at the peer.

    Raises:
        BehindError: the peer knows such an edit; with the newest writer of ours that it knows of any such object.
    """
    known = []
    for here, there in vectors:
        ours = {writer: number for writer, number in there.items() if node_of(writer) == node_of(me)}
        if ours.get(me, 0) > here.get(me, 0) or any(writer > me for writer in ours):
            known.append(max(ours))
    if known:
        raise BehindError(max(known))
