"""Import: a CSV file of new posts by the command `import`, ours against django-import-export with simple-history.

Both write history. The rival gets fewer rows, since its time grows with them; so do we while we are too slow for all.
"""

from collections.abc import Sequence
from functools import partial

from bench.harness import Contestant, Figure, faster, pick, race, within
from bench.once import Once, posts_file
from bench.stage import Server

SIZES = [pick(number, 20) for number in (100_000, 50_000, 10_000, 2_000)]
RIVAL_ROWS = pick(2_000, 20)
SECONDS = 12.0  # that a round of ours may take
OURS = "content.news.resources.PostResource"
RIVAL = "bench.rivals.site.resources.PostResource"


def measure(server: Server, _: Sequence[str]) -> list[Figure]:
    with server.copy(server.migrated()) as database, server.copy(server.rival(pick(100_000, 500))) as other:
        ours, rival = Once(server.environment(database)), Once(server.rival_environment(other))

        def imported(once: Once, resource: str, rows: int) -> int:
            once.run("import", resource, posts_file(server.folder, rows))
            return rows

        first = min(SIZES)
        imported(ours, OURS, first)
        rows = largest(ours, server, within(SECONDS, each=ours.clock() / first, sizes=SIZES))
        costs = race(
            Contestant(
                name="rival", work=partial(imported, rival, RIVAL, RIVAL_ROWS), cpu=rival.cpu, clock=rival.clock
            ),
            Contestant(name="ours", work=partial(imported, ours, OURS, rows), cpu=ours.cpu, clock=ours.clock),
        )
    work = f"import {rows:,} CSV rows with history; a row"
    against = f"import-export with simple-history, {RIVAL_ROWS:,} rows"
    return [faster("import", work, costs["ours"], costs["rival"], against=against, goal=20)]


def largest(once: Once, server: Server, wanted: int) -> int:
    """Return the largest of SIZES, `wanted` at most, that is not refused for its size."""
    for rows in sorted({size for size in SIZES if size <= wanted}, reverse=True):
        try:
            once.run("import", OURS, posts_file(server.folder, rows))
        except RuntimeError as error:
            if "more than" not in str(error):
                raise
        else:
            return rows
    raise RuntimeError("Every size is refused.")
