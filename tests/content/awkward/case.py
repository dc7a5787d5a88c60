"""An awkward file and what must come of it, imported as posts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from content.base.files import FORMATS
from content.base.tables import FileError, Table
from content.news.models import Post
from content.news.resources import PostResource

Posts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Case:
    """What must come of a file.

    Attributes:
        make: returns the file.
        posts: the titles and bodies of the posts that are added, in their order.
        wrong: what is wrong: the number of the row, the column, and words of the message, for each error.
        refused: words of the message that refuses the whole file.
        found: words of what is said to be found in it.
    """

    make: Callable[[], bytes]
    posts: Posts = ()
    wrong: tuple[tuple[int, str, str], ...] = ()
    refused: str = ""
    found: str = ""

    @property
    def name(self) -> str:
        return self.make.__name__


def check(case: Case, kind: str, folder: Path) -> None:
    """Import the file as a command or a job does, and compare what comes of it."""
    file = folder / "file"
    file.write_bytes(case.make())
    refusal, found, table = _imported(kind, file)
    assert bool(refusal) == bool(case.refused), refusal
    assert case.refused in refusal
    assert [(row, column) for row, column, _ in found] == [(row, column) for row, column, _ in case.wrong], found
    for (_, _, message), (_, _, words) in zip(found, case.wrong, strict=True):
        assert words in message
    assert tuple(Post.objects.order_by("pk").values_list("title", "body")) == case.posts
    assert case.found in str(table and table.found)


def _imported(kind: str, file: Path) -> tuple[str, list[Any], Table | None]:
    """Return what refuses the file as a whole, what is wrong in its rows, and its table."""
    try:
        table = FORMATS[kind]().create_dataset(file)
        result: Any = PostResource().import_data(table)
    except FileError as error:
        return str(error), [], None
    return " ".join(result.base_problems()), result.problems(), table
