"""Pages and monitoring read as many rows for a large backlog as for a small one, whatever part of it is large."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from content.news.models import Post
from syncer.engine import ceiling
from syncer.models import Binding, Route, mark
from syncer.reports import oldest
from syncer.reports import overview as overviews
from syncer.reports.figures import figures
from syncer.reports.overview import answered_at
from syncer.reports.states import object_states
from tests.syncer.conftest import sync

MOST, FEW, MANY = 20, 200, 800
SLACK = 20  # rows, or hundreds of steps; to look at MANY costs 40 at least
# Of all tables and indexes, in this transaction.
ROWS_READ = """
SELECT sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))
FROM pg_class WHERE relname LIKE 'syncer\\_%' OR relname LIKE 'news\\_%'
"""
PARTS: dict[str, dict[str, object]] = {
    "pending": {},
    "retrying": {"tries": 1},
    "rejected": {"rejected": 2, "tries": 1},
    "in_doubt": {"in_doubt": True},
    "on_hold": {"on_hold": True},
    "deletes": {"delete_waits": True},
}


@contextmanager
def counted(cost: list[int]) -> Iterator[None]:
    """Append the rows that PostgreSQL reads, or the hundreds of steps that SQLite makes."""
    if connection.vendor == "sqlite":
        steps: list[int] = []
        connection.connection.set_progress_handler(lambda: steps.append(1), 100)
        yield
        connection.connection.set_progress_handler(None, 0)
        cost.append(len(steps))
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a table of this size is read from end to end otherwise
        cursor.execute(ROWS_READ)
        (before,) = cursor.fetchone()
        yield
        cursor.execute(ROWS_READ)
        cost.append(int(cursor.fetchone()[0] - before))


def cost_of(work: Callable[[], object]) -> int:
    found: list[int] = []
    work()  # what is read once for a process does not count
    with counted(found):
        work()
    return found[0]


def add(route: Route, part: str, first: int, number: int) -> None:
    """Add planned objects that are all in one part of the backlog; those to be deleted are not there any more."""
    pks = range(first, first + number)
    if part != "deletes":
        Post.objects.bulk_create(Post(pk=pk, title="P", body="B") for pk in pks)
    common = {"route": route, "wanted": 2, "delivered": 1}
    Binding.objects.bulk_create(Binding(object_key=str(pk), remote_id=f'"{pk}"', **common, **PARTS[part]) for pk in pks)
    Route.objects.filter(pk=route.pk).update(mark=str(mark.take(Post)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "postgresql" else "SELECT 1")


@pytest.fixture
def route(target, monkeypatch):
    for module in (overviews, ceiling):
        monkeypatch.setattr(module, "MOST", MOST)
    monkeypatch.setattr(oldest, "READ", MOST)
    Post.objects.create(pk=1, title="P", body="B")
    sync(target)
    return target.routes.get(model="news.Post")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", PARTS)
def test_a_large_part_of_the_backlog_costs_no_more_than_a_small_one(route, target, part):
    def look() -> None:
        figures()
        answered_at(target)
        object_states(Post, [FEW, MANY])

    add(route, part, 2, FEW)
    few = cost_of(look)
    add(route, part, 2 + FEW, MANY)
    assert cost_of(look) < few + SLACK
    [item] = figures().targets
    assert str(item.backlog[part]) == f"more than {MOST}"
