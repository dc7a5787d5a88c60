"""What a run came to, as a table, and what of it is not as it must be."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.soak.memory import Watch
from tests.soak.users import Book

SECONDS = 2.0  # within which 99.9 of 100 requests are answered
JUDGED_TIMES = ("editors", "API readers", "API writers")  # an import does its work before it is answered
GROWTH = 1.1  # of the memory, from the second minute to the last
JUDGED = 300  # seconds of a run from which on its memory is judged
TRACEBACK = re.compile(r"^.*(?:Traceback \(most recent call last\)|Internal Server Error).*$", re.M)


def percentile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] if seconds else 0.0


def table(books: Mapping[str, Book]) -> list[str]:
    head = f"{'who':<14}{'requests':>9}{'median':>9}{'99.9 %':>9}{'most':>9}{'later':>7}{'failed':>8}"
    return [head, *(row(name, book) for name, book in books.items())]


def row(name: str, book: Book) -> str:
    times = "".join(f"{value:>7.2f} s" for value in (percentile(book.seconds, 0.5), percentile(book.seconds, 0.999)))
    most = max(book.seconds, default=0.0)
    return f"{name:<14}{len(book.seconds):>9}{times}{most:>7.2f} s{book.later:>7}{book.failures.total():>8}"


def faults(books: Mapping[str, Book], logs: Mapping[str, Path], watch: Watch, seconds: float) -> Iterator[str]:
    for name, book in books.items():
        yield from (f"{name}: {why} ({times} times)" for why, times in book.failures.items())
        slow = percentile(book.seconds, 0.999)
        if name in JUDGED_TIMES and slow > SECONDS:
            yield f"{name}: 99.9 of 100 requests were answered within {slow:.2f} s, not {SECONDS:.0f} s."
        if not book.seconds:
            yield f"{name}: nothing was asked."
    for name, log in logs.items():
        if found := TRACEBACK.findall(log.read_text(errors="replace")):
            yield f"{len(found)} errors in {log}, the first: {found[0][:200]} ({name})"
    second, last = minutes(watch, seconds)
    if seconds >= JUDGED and last > second * GROWTH:
        yield f"The memory grew to {last / second:.2f} times that of the second minute; at most {GROWTH} is right."


def minutes(watch: Watch, seconds: float) -> tuple[float, float]:
    """Return the mean memory of the second and the last fifth of the run."""
    return watch.mean(seconds / 5, seconds * 2 / 5), watch.mean(seconds * 4 / 5, seconds)


def memory(watch: Watch, seconds: float) -> str:
    second, last = minutes(watch, seconds)
    most = max((used for _, used in watch.seen), default=0)
    figures = " / ".join(f"{value / 1e6:.0f} MB" for value in (second, last, most))
    return f"Memory of web and worker, second fifth / last fifth / most: {figures} ({last / (second or 1):.2f} times)"
