"""The messages that peers exchange, as data and as JSON.

    POST /api/sync/changes
    {"node": "store", "writer": "store:0193…", "model": "orders.Order",
     "items": [{"key": "…", "seen": {"store:0193…": 2},
                "fields": {"status": [["store:0193…", 2, "SHIPPED", "editor", "by van", "2026-01-01T12:00:00.000Z"]]}}]}

    {"node": "warehouse", "writer": "warehouse:0193…",
     "items": [{"key": "…", "result": "applied", "seen": {"store:0193…": 2}, "fields": {}}]}

A batch without a model and items only names the sender: the handshake.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncer.core.merge import By, State, VersionVector, edits_as_json

LARGEST = 500  # items a batch
BYTES = 1_000_000  # of JSON a batch, well below what Django takes; one item may have more
PATH = "/sync/changes"
WRITER = r"[\w-]{1,64}:[0-9a-f]{1,24}"  # a regular expression


class Result(StrEnum):
    """The outcome of one item."""

    APPLIED = "applied"  # the receiver had no edit that the item did not know
    ALREADY = "already there"
    MERGED = "merged"
    CONFLICT = "conflict"  # merged, and a person has to decide
    REFUSED = "refused"  # nothing of the item was kept
    LATER = "later"  # nothing of the item was kept, but a repeat may succeed


@dataclass(frozen=True, kw_only=True)
class Item:
    """One object as its sender knows it.

    Attributes:
        key: the object's key as in JSON, with the dashes of a UUID.
        is_open: whether its merged edits could not be written at the sender, and wait for a person there.
        asks: the fields for which a person at the sender has to choose one edit.
    """

    key: str
    state: State
    is_open: bool = False
    asks: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, object]:
        record: dict[str, object] = {
            "key": self.key,
            "seen": dict(self.state.seen),
            "fields": edits_as_json(self.state.fields),
        }
        if self.is_open:
            record["open"] = True
        if self.asks:
            record["asks"] = sorted(self.asks)
        return record


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The items that one node sends to another.

    Attributes:
        node, writer: the sender, and its incarnation.
        model: the items' model, such as `orders.Order`; empty if there are no items.
    """

    node: str
    writer: str
    model: str = ""
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ItemResult:
    """The answer to one item.

    Attributes:
        seen: a version vector that the answering node's own covers from now on; None if nothing of the item was kept.
        fields: errors by field, `{"quantity": ["…"]}`; those of the whole item are under "".
    """

    key: str
    result: Result
    seen: VersionVector | None = None
    fields: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def why(self) -> str:
        """All errors in one line."""
        return "; ".join(
            f"{name}: {' '.join(texts)}" if name else " ".join(texts) for name, texts in self.fields.items()
        )

    def as_json(self) -> dict[str, object]:
        record = {"key": self.key, "result": self.result, "seen": self.seen, "fields": self.fields}
        return {name: value for name, value in record.items() if value is not None}


def time_of(by: By) -> datetime | None:
    """Return when an edit was made; None if that is unknown.

    A peer may send any text: a time without a zone counts as unknown, as does one near either end of the calendar,
    which not every time zone can show.
    """
    try:
        moment = datetime.fromisoformat(by.at)
    except ValueError:
        return None
    return moment if moment.tzinfo and 2 <= moment.year <= 9998 else None
