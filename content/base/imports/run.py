"""One import, or one slice of it, from its rows to its end: read, judge, write."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from content.base.imports.end_state import judge, passed_on
from content.base.imports.newer import Versions
from content.base.imports.problems import Problems
from content.base.imports.result import ContentResult
from content.base.imports.rows import Reader
from content.base.imports.staging import Stage, session
from content.base.imports.unique import unique_keys
from content.base.imports.writing import write
from content.base.tables import FileError, Row

MOST_EXCHANGED = 5_000  # rows that pass on unique values, which are written in one slice: about a second


def nothing(_: object) -> None:
    """Do nothing with it."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The import of rows with a resource.

    1. The rows are read, judged one by one and put into a temporary table. Nothing is locked, however long it takes.
    2. In a transaction, the objects that the rows change are locked. If somebody wrote one of them since it was read,
       all begins again, now with each object locked when it is read.
    3. The database judges what depends on other rows, and the rows are written from the temporary table.

    Attributes:
        headers: the column of each cell; empty: it is left out.
        rows: the rows, `(number, cells)`, which can be iterated again.
        problems: gets all that is wrong with the rows.
        versions: finds out what is newer than the file.
        is_partial: whether the right rows are written although others are wrong.
        on_page: called with the number of rows that were read.
        on_written: called at the end of the transaction.
    """

    resource: Any
    headers: Sequence[str]
    rows: Iterable[Row]
    problems: Problems
    versions: Versions
    is_partial: bool = False
    on_page: Callable[[int], None] = nothing
    on_written: Callable[[ContentResult], None] = nothing

    def preview(self) -> ContentResult:
        """Judge the rows, and write nothing."""
        with session(), Stage(self.resource.model) as stage:
            result = self._read(stage, is_locking=False)
            result.moment = str(stage.began)
            self._judge(stage, result)
        return result

    def write(self) -> ContentResult:
        """Write the rows: all of them, or none if one is wrong and not `is_partial`.

        Raises:
            IntegrityError: the database refuses them all the same.
        """
        return self._attempt(is_locking=False) or self._attempt(is_locking=True)  # type: ignore[return-value]

    def _attempt(self, *, is_locking: bool) -> ContentResult | None:
        """Return the result; None if an object was written by somebody else after it was read."""
        with transaction.atomic() if is_locking else session(), Stage(self.resource.model) as stage:
            result = self._read(stage, is_locking=is_locking)
            with transaction.atomic():
                if not is_locking:
                    stage.lock()
                    if stage.is_stale(stage.began):
                        return None
                self._judge(stage, result)
                if self.is_partial or not result.has_errors():
                    write(stage, self.resource)
                    self.on_written(result)
        return result

    def _read(self, stage: Stage, *, is_locking: bool) -> ContentResult:
        result = ContentResult(self.resource.get_import_fields())
        reader = Reader(
            self.resource,
            stage,
            result,
            self.problems,
            self.versions,
            is_locking=is_locking,
            on_page=self.on_page,
        )
        reader.read(self.headers, self.rows)
        stage.complete()
        return result

    def _judge(self, stage: Stage, result: ContentResult) -> None:
        for rule, number, name, message in judge(stage):
            self.problems.add_rule(number, name, message, about=rule.names, is_alone=rule.is_alone)
        if self.is_partial:
            self._follow(stage, result)
        result.count(stage.counts(), self.problems.first(result.limit))

    def _follow(self, stage: Stage, result: ContentResult) -> None:
        """Refuse the rows that wait for a value which a wrong row does not give up; find those that pass on values.

        Raises:
            FileError: they are too many for one slice.
        """
        wrong = {number for (number,) in stage.rows(f"SELECT import_row FROM {stage.name} WHERE import_wrong")}
        exchanged: set[int] = set()
        for key in unique_keys(stage.model):
            waiting = defaultdict[int, list[int]](list)
            for number, other in passed_on(stage, key, MOST_EXCHANGED + 1):
                waiting[other].append(number)
                exchanged |= {number, other}
            if len(exchanged) > MOST_EXCHANGED:
                raise FileError(
                    _("More than %(most)d rows pass on values that must be unique. Split the file.")
                    % {"most": MOST_EXCHANGED}
                )
            name, _message = key.problem(stage.model)
            for number, other in _closure(waiting, wrong):
                message = _("Another row gives this value up, but row %(row)d is wrong itself.") % {"row": other}
                self.problems.add_rule(number, name, message, about=key.names, is_alone=False)
        refused = exchanged & wrong
        stage.refuse(refused)
        result.exchanged = sorted(exchanged - refused)


def _closure(waiting: Mapping[int, Sequence[int]], wrong: set[int]) -> Iterator[tuple[int, int]]:
    """Add the rows that wait for a wrong row to `wrong`, directly or through others; yield `(row, wrong row)`."""
    todo = [number for number in waiting if number in wrong]
    while todo:
        other = todo.pop()
        for number in waiting.get(other, ()):
            if number not in wrong:
                wrong.add(number)
                todo.append(number)
                yield number, other
