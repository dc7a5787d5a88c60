"""Which column each heading of a file means: people write the pages' labels as well as the names of the columns."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from content.base.tables import FileError


@dataclass(frozen=True)
class Headings:
    """The headings of a file.

    Attributes:
        headers: as they are in the file.
        columns: the column that each known heading names, by the heading's index.
    """

    headers: tuple[str, ...]
    columns: dict[int, str]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The headings that name no column."""
        return tuple(header for index, header in enumerate(self.headers) if index not in self.columns)

    @property
    def names(self) -> list[str]:
        """The column of each heading; the heading itself where it names none."""
        return [self.columns.get(index, header) for index, header in enumerate(self.headers)]


def match_headings(headers: Sequence[str], labels: Mapping[str, Iterable[str]]) -> Headings:
    """Return what the headings mean. Case, spaces and underscores make no difference.

    Args:
        labels: the names of each column, its own among them: `{"user_id": ("user_id", "Benutzernummer")}`. A name that
            two columns have means neither, unless it is a column's own.

    Raises:
        FileError: two headings mean the same column.
    """
    known = _columns(labels)
    matched: dict[str, str] = {}
    columns: dict[int, str] = {}
    for index, header in enumerate(headers):
        column = known.get(_plain(header))
        if column is None:
            continue
        if column in matched:
            words = {"first": matched[column], "second": header, "column": column}
            message = _("“%(first)s” and “%(second)s” both name the column %(column)s. Take one of the two away.")
            raise FileError(message % words)
        columns[index], matched[column] = column, header
    return Headings(tuple(headers), columns)


def _columns(labels: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the column of each name."""
    names = {column: {_plain(name) for name in given} for column, given in labels.items()}
    times = Counter(name for given in names.values() for name in given)
    columns = {name: column for column, given in names.items() for name in given if times[name] == 1}
    return columns | {_plain(column): column for column in labels}


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())
