"""The names of personal teams."""

from collections.abc import Iterator
from secrets import token_hex

NUMBERED = 20  # names that are tried before a random one


def names_for(username: str) -> Iterator[str]:
    """Yield names to try: `editor's team`, `editor's team 2` …, at last one with a random suffix."""
    yield f"{username}'s team"
    for number in range(2, NUMBERED + 1):
        yield f"{username}'s team {number}"
    yield f"{username}'s team {token_hex(8)}"
