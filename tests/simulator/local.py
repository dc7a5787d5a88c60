"""What we have: posts and comments that people edit, and the history that names what they edited."""

from collections import Counter
from dataclasses import dataclass, field

POSTS, COMMENTS = "posts", "comments"
MODELS = (POSTS, COMMENTS)  # parents first
TEXTS = ("A", "B", "bad")  # few, so that objects come to look alike; the remote refuses "bad" for good

reached: Counter[str] = Counter()  # how often each situation came about, over all examples


@dataclass
class Local:
    """Objects by key. Of a post: `{"title": "A", "shown": True}`; of a comment: `{"post": "p0", "name": "A"}`."""

    live: dict[str, dict[str, object]] = field(default_factory=dict)
    before: dict[str, dict[str, object]] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)

    def save(self, key: str, **values: object) -> None:
        """Make the object, or change it; a save that changes nothing is still named by the history."""
        if key in self.live:
            self.before[key] = self.live[key]
        self.live[key] = self.live.get(key, {}) | values
        self.history.append(key)

    def undo(self, key: str) -> None:
        """Back to what it was before; a comment only if its post is still there."""
        was = self.before.get(key)
        if was and was.get("post", "p") in {"p", *self.live}:
            self.save(key, **was)

    def delete(self, key: str) -> None:
        """With a post go its comments."""
        for below in [*self.under(key), key]:
            self.before[below] = self.live.pop(below)
            self.history.append(below)

    def under(self, key: str) -> list[str]:
        """The comments of a post."""
        return [child for child, values in self.live.items() if values.get("post") == key]

    def is_wanted(self, key: str) -> bool:
        """`RouteMap.wanted`: it exists, it and all above it pass the filter."""
        values = self.live.get(key)
        if values is None:
            return False
        return bool(values["shown"]) if "shown" in values else self.is_wanted(str(values["post"]))


def model_of(key: str) -> str:
    """`p0` is a post, `c0` a comment."""
    return POSTS if key[0] == "p" else COMMENTS
