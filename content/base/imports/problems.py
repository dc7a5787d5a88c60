"""All that is wrong with the rows of a file, in a small SQLite file of its own: memory does not grow with the problems.

It lies beside the uploads, so that web server and worker share it, and it is removed with them. Writing it waits for
no writer of the content.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

IN_ORDER = "SELECT number, name, message FROM problem ORDER BY number, name, message"
TABLE = """
CREATE TABLE IF NOT EXISTS problem (
    id INTEGER PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, message TEXT NOT NULL, is_late INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS problem_number ON problem (number);
"""
Problem = tuple[int, str, str]  # the row's number, the column or NON_FIELD_ERRORS, and the message


class Problems:
    """The problems of an import.

    Args:
        path: of the file; None for a nameless one that goes with this object.
        is_late: whether what is added was found while the rows were written, not when the file was judged.
    """

    def __init__(self, path: Path | None = None, *, is_late: bool = False) -> None:
        self._file = sqlite3.connect(path or "", isolation_level=None)
        self._file.executescript(TABLE)
        self._is_late = is_late

    def __enter__(self) -> Self:
        self._file.execute("BEGIN")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        self._file.execute("COMMIT" if kind is None else "ROLLBACK")

    def close(self) -> None:
        self._file.close()

    # --- adding ------------------------------------------------------------------------------------------------------
    def add(self, number: int, messages: Mapping[str, Sequence[str]]) -> None:
        rows = [(number, name, text, self._is_late) for name, texts in messages.items() for text in texts]
        self._file.executemany("INSERT INTO problem (number, name, message, is_late) VALUES (?, ?, ?, ?)", rows)

    def add_rule(self, number: int, name: str, message: str, *, about: Collection[str], is_alone: bool) -> None:
        """Add a message about a row that was read; see `end_state.Rule`."""
        if is_alone:
            self._file.execute("DELETE FROM problem WHERE number = ?", [number])
        known = {known for (known,) in self._file.execute("SELECT name FROM problem WHERE number = ?", [number])}
        if is_alone or known.isdisjoint(about):
            self.add(number, {name: [message]})

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget what an earlier try with these rows found, in the same phase."""
        rows = "DELETE FROM problem WHERE number = ? AND is_late = ?"
        self._file.executemany(rows, ((number, self._is_late) for number in numbers))

    # --- reading -----------------------------------------------------------------------------------------------------
    def first(self, limit: int) -> list[Problem]:
        """Return the problems of the first rows, at most `limit`."""
        return list(self._file.execute(f"{IN_ORDER} LIMIT ?", [limit]))

    def judged_wrong(self, first: int, last: int) -> set[int]:
        """Return the rows in a range that were refused when the file was judged."""
        rows = "SELECT DISTINCT number FROM problem WHERE number BETWEEN ? AND ? AND NOT is_late"
        return {number for (number,) in self._file.execute(rows, [first, last])}

    def __iter__(self) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """Yield each wrong row with its columns and messages, in the file's order."""
        number, texts = 0, list[tuple[str, str]]()
        for row, name, message in self._file.execute(IN_ORDER):
            if texts and row != number:
                yield number, texts
                texts = []
            number = row
            texts.append((name, message))
        if texts:
            yield number, texts
