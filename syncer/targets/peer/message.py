"""What peers tell each other, as data and as JSON.

    POST /api/sync/changes
    {"node": "store", "writer": "store:0193…", "model": "orders.Order",
     "items": [{"key": "…", "seen": {"store:0193…": 2},
                "fields": {"status": [["store:0193…", 2, "SHIPPED", "editor", "by van", "2026-01-01T12:00:00.000Z"]]}}]}

    {"node": "warehouse", "writer": "warehouse:0193…",
     "items": [{"key": "…", "result": "applied", "seen": {"store:0193…": 2}, "fields": {}}]}

A batch without a model and items only says who is speaking.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from syncer.core.merge import By, State, VersionVector, edits_as_json

LARGEST = 500  # items a batch
BYTES = 1_000_000  # of JSON a batch, well below what Django takes; one item may have more
PATH = "/sync/changes"
WRITER = r"[\w-]{1,64}:[0-9a-f]{1,24}"  # a regular expression


class Result(StrEnum):
    """What became of one item."""

    APPLIED = "applied"  # nothing was edited there without knowledge of it
    ALREADY = "already there"
    MERGED = "merged"
    CONFLICT = "conflict"  # joined, and a person is to decide
    REFUSED = "refused"  # nothing of it was kept
    LATER = "later"  # nothing of it was kept, and a repeat may go well


@dataclass(frozen=True, kw_only=True)
class Item:
    """One object as its sender knows it.

    Attributes:
        key: as JSON has it, with the dashes of a UUID.
        is_open: what its edits make together could not be written there, and waits for a person.
        asks: fields of which a person is to choose one edit there.
    """

    key: str
    state: State
    is_open: bool = False
    asks: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, Any]:
        told = {"key": self.key, "seen": dict(self.state.seen), "fields": edits_as_json(self.state.fields)}
        asks = {"asks": sorted(self.asks)} if self.asks else {}
        return told | ({"open": True} if self.is_open else {}) | asks


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one node hands to another.

    Attributes:
        node, writer: who speaks, and in which incarnation.
        model: `orders.Order`; empty where there are no items.
    """

    node: str
    writer: str
    model: str = ""
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ItemResult:
    """The answer to one item.

    Attributes:
        seen: what the answering node knows of the object from now on at least; None: nothing of the item was kept.
        fields: what is wrong, `{"quantity": ["…"]}`; under "" what is wrong with all of it.
    """

    key: str
    result: Result
    seen: VersionVector | None = None
    fields: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def why(self) -> str:
        """What is wrong, in one line."""
        return "; ".join(
            f"{name}: {' '.join(texts)}" if name else " ".join(texts) for name, texts in self.fields.items()
        )

    def as_json(self) -> dict[str, Any]:
        told = {"key": self.key, "result": self.result, "seen": self.seen, "fields": self.fields}
        return {name: value for name, value in told.items() if value is not None}


def time_of(by: By) -> datetime | None:
    """When an edit was made; None: nobody knows, for what a peer says need not be a time that every zone can show."""
    try:
        found = datetime.fromisoformat(by.at)
    except ValueError:
        return None
    return found if found.tzinfo and 2 <= found.year <= 9998 else None
