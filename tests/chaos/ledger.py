"""What an editor was told: the writes that were acknowledged, and so what must be in the database in the end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]  # {"title": …}, by column
MODELS = ("news.Post", "news.Comment")


@dataclass(kw_only=True)
class Change:
    """What a write does to one object."""

    model: str
    pk: int | None  # None: it is new; the ledger then finds it by its body, which no other has
    values: Values | None  # of the columns that are written; None: it is deleted


@dataclass(kw_only=True)
class Write:
    """One write through one door: all of it or nothing."""

    door: str
    changes: list[Change]
    do: Callable[[], object]  # carries it out; may be called again where nobody knows what became of it
    shared: bool = False  # other editors write the same objects, so that what they hold in the end can't be foretold


@dataclass(kw_only=True)
class Ledger:
    """One editor's books.

    `objects` is what is to be there. `told` has every change that was acknowledged; of a delete, None for the body.
    """

    objects: dict[str, dict[int, Values]] = field(default_factory=lambda: {model: {} for model in MODELS})
    told: list[tuple[str, int, str | None]] = field(default_factory=list)  # [(model, pk, body), …]
    doors: Counter[str] = field(default_factory=Counter)  # how many writes were acknowledged, by door
    refusals: list[str] = field(default_factory=list)  # another editor had deleted what a write needed
    troubles: list[dict[str, Any]] = field(default_factory=list)  # tried again: {"at": Unix time, "door", "error"}

    def acknowledge(self, write: Write) -> None:
        """The write is done; the keys of what is new are known by now."""
        self.doors[write.door] += 1
        for change in write.changes:
            assert change.pk is not None
            body = None if change.values is None else str(change.values["body"])
            self.told.append((change.model, change.pk, body))
            if write.shared:
                continue
            if change.values is None:
                self._forget(change.model, change.pk)
            else:
                self.objects[change.model].setdefault(change.pk, {}).update(change.values)

    def _forget(self, model: str, pk: int) -> None:
        """With a post go its comments."""
        self.objects[model].pop(pk, None)
        if model == "news.Post":
            comments = self.objects["news.Comment"]
            for comment in [key for key, values in comments.items() if values["post_id"] == pk]:
                del comments[comment]
