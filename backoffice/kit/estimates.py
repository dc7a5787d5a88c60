"""Count rows without reading a whole table: exactly up to MOST, above that "more than" or, unfiltered, "about"."""

from collections.abc import Iterable
from typing import Self

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, QuerySet
from django.template import Library
from django.utils.functional import cached_property

from backoffice.kit.phrase_field import shown
from backoffice.kit.phrases import Value, phrase

MOST = 10_000  # rows that are counted exactly, which takes milliseconds, and that can be paged through
MOST_FOUND = 1_000  # of a search, which may read a hundred rows for each that it finds


register = Library()


class Count(int):
    """A number of rows, with words for its precision: `12`, "more than 10,000", "about 5,000,000"."""

    words: str  # "more than", "at least", "about", or empty for an exact number

    def __new__(cls, number: int, words: str = "") -> Self:
        made = super().__new__(cls, number)
        made.words = words
        return made

    def __str__(self) -> str:
        return shown(self.phrase)

    @property
    def phrase(self) -> Value:
        """The number with its words, for the values of a phrase."""
        number = int(self)
        phrases = {
            "more than": phrase("more than %(number)s", number=number),
            "at least": phrase("at least %(number)s", number=number),
            "about": phrase("about %(number)s", number=number),
        }
        return phrases.get(self.words, number)


@register.filter(name="grouped")
def in_groups(number: int) -> str:
    """Return a number as pages show it: `{{ number|grouped }}`."""
    return str(number if isinstance(number, Count) else Count(number))


def bounded(number: int, most: int = MOST) -> Count:
    """Return a number that was counted up to one more than `most`."""
    return Count(number) if number <= most else Count(most, "more than")


def total(numbers: Iterable[int]) -> Count:
    """Return the sum; if one of the numbers is only a lower bound, or an estimate, so is the sum."""
    numbers = list(numbers)
    words = [number.words for number in numbers if isinstance(number, Count) and number.words]
    return Count(sum(numbers), next(iter(words), ""))


def less(number: int, by: int) -> Count:
    """Return a number without `by` of what it counts, as precise as before."""
    return Count(max(0, number - by), number.words if isinstance(number, Count) else "")


def count(rows: "QuerySet[Model]", most: int = MOST) -> Count:
    """Return the number of `rows`, at the cost of reading `most` of them.

    The rows keep their order, so that the count uses the index of the page: without an order PostgreSQL may scan the
    table for rows that it expects everywhere, and that are all at its end.
    """
    number: int = rows[: most + 1].count()
    if number <= most:
        return Count(number)
    if rows.query.has_filters() or rows.query.distinct or rows.query.is_sliced:
        return Count(most, "more than")
    estimated = _estimate(rows)
    return Count(_rounded(estimated), "about") if estimated > most else Count(most, "more than")


def _estimate(rows: "QuerySet[Model]") -> int:
    """Return the database's estimate: PostgreSQL's from the last ANALYZE, SQLite's from the highest row number."""
    connection = connections[rows.db]
    table = connection.ops.quote_name(rows.model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        else:
            cursor.execute(f"SELECT max(rowid) FROM {table}")  # noqa: S608 - the name comes from the model
        number: int | None = cursor.fetchone()[0]
    return number or 0


def _rounded(number: int) -> int:
    """Round to two digits, so that the number does not look exact: 5,012,345 → 5,000,000."""
    step: int = 10 ** max(0, len(str(number)) - 2)
    return (number + step // 2) // step * step


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages through the first `most` rows; the others are reached by filters."""

    most = MOST

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return count(rows, self.most) if isinstance(rows, QuerySet) else len(rows)

    @cached_property
    def num_pages(self) -> int:
        return max(1, -(-min(self.count, self.most) // self.per_page))


class FoundPaginator(BoundedPaginator):
    """Pages through what a search has found."""

    most = MOST_FOUND
