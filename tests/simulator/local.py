"""The local side: posts and comments that people edit, and the history of their edits."""

from collections import Counter
from dataclasses import dataclass, field

POSTS, COMMENTS = "posts", "comments"
MODELS = (POSTS, COMMENTS)  # parents first
WALL = "wall"  # a text that the target's firewall dislikes
# Few, so that objects become equal; the remote keeps them in a spelling of its own, and refuses "bad" for good.
TEXTS = ("Änna & Co ", "B&B", "bad", WALL)

reached: Counter[str] = Counter()  # how often each situation was reached, over all examples


@dataclass
class Local:
    """The objects by key.

    Posts are `{"title": "B&B", "pages": 1, "shown": True}`, comments `{"post": "p0", "name": "B&B"}`.
    """

    live: dict[str, dict[str, object]] = field(default_factory=dict)
    before: dict[str, dict[str, object]] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)

    def save(self, key: str, **values: object) -> None:
        """Create or change an object; the history also has saves that change nothing."""
        if key in self.live:
            self.before[key] = self.live[key]
        self.live[key] = self.live.get(key, {}) | values
        self.history.append(key)

    def undo(self, key: str) -> None:
        """Restore an object's previous values; a comment's only if its post still exists."""
        before = self.before.get(key)
        if before and before.get("post", "p") in {"p", *self.live}:
            self.save(key, **before)

    def delete(self, key: str) -> None:
        """Delete an object, and with a post its comments."""
        for below in [*self.under(key), key]:
            self.before[below] = self.live.pop(below)
            self.history.append(below)

    def under(self, key: str) -> list[str]:
        """Return the keys of a post's comments."""
        return [child for child, values in self.live.items() if values.get("post") == key]

    def is_wanted(self, key: str) -> bool:
        """Return whether an object exists and passes the filter, with its post (`RouteMap.wanted`)."""
        values = self.live.get(key)
        if values is None:
            return False
        return bool(values["shown"]) if "shown" in values else self.is_wanted(str(values["post"]))


def model_of(key: str) -> str:
    """Return the model of a key: `p0` is a post, `c0` a comment."""
    return POSTS if key[0] == "p" else COMMENTS
