"""The most memory that a process has while it plans, imports, exports or streams a million rows, or a tenth of them."""

from collections.abc import Sequence
from functools import cache

from bench.harness import SMOKE, Figure, pick, within
from bench.imports import OURS
from bench.once import Once, Spent, posts_file
from bench.stage import Server

FEW, MANY = pick(100_000, 500), pick(1_000_000, 500)
SECONDS = 60.0  # that one import may take
MEGABYTE = 1024 * 1024


def measure(server: Server, _: Sequence[str]) -> list[Figure]:
    figures = []
    for work in ("plan", "export", "stream"):
        few, many = (of_posts(server, work, posts) for posts in (FEW, MANY))
        figures.append(figure(work, FEW, few, MANY, many))
    return [*figures, of_imports(server)]


def figure(work: str, few: int, less: int, many: int, more: int) -> Figure:
    """Compare the peaks of a work, `less` with `few` rows and `more` with `many`, in bytes."""
    return Figure(
        line="memory",
        work=f"memory: {work} {many:,} rows",
        against=f"{few:,} rows",
        unit="MB at most",
        ours=more / MEGABYTE,
        rival=less / MEGABYTE,
        ratio=more / less,
        goal=1.2,
        at_most=True,
    )


@cache
def of_posts(server: Server, work: str, posts: int) -> int:
    with server.copy(server.filled(posts)) as database:
        return Once(server.environment(database)).run(work).peak


def of_imports(server: Server) -> Figure:
    """Compare a million rows and a tenth of them, or fewer where that takes too long or is refused."""
    first = pick(1_000, FEW // 10)
    spent = imported(server, first)
    many = within(SECONDS, each=spent.clock / first, sizes=[MANY, FEW, FEW // 10] if not SMOKE else [first])
    while True:
        try:
            more = imported(server, many).peak
        except RuntimeError as error:
            if "more than" not in str(error):
                raise
            many //= 10
        else:
            few = many if SMOKE else many // 10
            return figure("import", few, imported(server, few).peak, many, more)


@cache
def imported(server: Server, rows: int) -> Spent:
    with server.copy(server.migrated()) as database:
        return Once(server.environment(database)).run("import", OURS, posts_file(server.folder, rows))
