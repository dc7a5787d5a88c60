"""Who we are to our peers: the node, and its incarnation.

Edits are numbered for each object apart, by what this database knows. A database that was put back to an older state
would give numbers again that peers have seen already, and they would take new edits for old ones. So it signs with
another writer from then on: one that no backup can hold, and that sorts after all that were used before.
"""

import secrets
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import IntegrityError, transaction

from syncer.core.merge import VersionVector, node_of
from syncer.models import Incarnation

TRIES = 10
FAR = 7 * 86_400  # seconds by which the clocks of two nodes never differ
FIRST = "This node had not spoken to a peer before."


class BehindError(Exception):
    """A peer knows edits of ours that this database does not: it was put back, and nothing else has told so yet.

    Attributes:
        known: the newest writer of ours that the peer has heard of.
    """

    def __init__(self, known: str) -> None:
        super().__init__(known)
        self.known = known


def writer() -> str:
    """What our edits are signed with: `store:0193…`; taken when it is first needed."""
    newest = Incarnation.objects.first()
    if newest is not None and node_of(newest.writer) == settings.NODE:
        return newest.writer
    return take(FIRST if newest is None else f"This node was called {node_of(newest.writer)} before.")


def take(why: str, *, after: Iterable[str] = ()) -> str:
    """A new incarnation, which sorts behind all that this database knows, and behind `after`, writers of ours.

    The time keeps it above what a lost database may have used, and 32 random bits keep two restores of one backup
    apart; neither of them is trusted to be right for more than that.
    """
    for _ in range(TRIES):
        newest = Incarnation.objects.first()
        taken = [_time_of(one) for one in (*after, *([newest.writer] if newest else ()))]
        moment = max(time.time_ns() // 1_000_000, *(one + 1 for one in taken), 0)
        text = f"{settings.NODE}:{moment:012x}{secrets.token_hex(4)}"
        try:
            with transaction.atomic():
                Incarnation.objects.create(number=newest.number + 1 if newest else 1, writer=text, why=why[:256])
        except IntegrityError as error:
            failure = error  # another process took one
            if not after:
                return writer()
            continue
        return text
    raise failure


def _time_of(writer: str) -> int:
    """Milliseconds since 1970, by which the incarnations of one node are sorted."""
    text = writer.partition(":")[2][:12]
    return int(text, 16) if text else 0


def is_far(writer: str) -> bool:
    """It names a time that no clock near ours can have told: nothing could be signed after it."""
    return _time_of(writer) > time.time_ns() // 1_000_000 + FAR * 1000


def refuse_behind(me: str, mine: VersionVector, theirs: VersionVector) -> None:
    """See that a peer has not seen more of us than we have.

    Raises:
        BehindError: it has.
    """
    ours = {one: number for one, number in theirs.items() if node_of(one) == node_of(me)}
    if ours.get(me, 0) > mine.get(me, 0) or any(one > me for one in ours):
        raise BehindError(max(ours))
