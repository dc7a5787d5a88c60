"""How many statements a run makes: a few for itself, a few for each half of a batch, none for an object."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from content.news.models import Post
from syncer.models import Target
from syncer.targets.rest import deliver
from tests.syncer.conftest import sync_automatically

# The begins and ends of transactions included. On SQLite a mark that is read costs more, the database's time nothing.
STATEMENTS = {
    "postgresql": {"nothing": 44, "100 creates": 81, "1 update": 65, "100 updates": 73, "100 deletes": 85},
    "sqlite": {"nothing": 62, "100 creates": 90, "1 update": 76, "100 updates": 81, "100 deletes": 92},
}


def test_a_run_makes_its_number_of_statements(target, monkeypatch):
    for name in ("SETTLE_SECONDS", "QUIET"):  # all are under way at once, and settled once
        monkeypatch.setattr(deliver, name, 30)
    Target.objects.update(concurrency=200)
    target.refresh_from_db()
    sync_automatically(target)
    counted = {"nothing": statements(target)}
    Post.objects.bulk_create([Post(title=f"A {i}", body="B") for i in range(100)])
    counted["100 creates"] = statements(target)
    Post.objects.filter(title="A 1").update(body="C")
    counted["1 update"] = statements(target)
    Post.objects.update(body="D")
    counted["100 updates"] = statements(target)
    target.routes.update(max_deletes=100)
    Post.objects.all().delete()
    counted["100 deletes"] = statements(target)
    assert counted == STATEMENTS[connection.vendor]


def statements(target) -> int:
    with CaptureQueriesContext(connection) as found:
        run = sync_automatically(target)
    assert run.counts["left"] == run.counts["failed"] == 0
    return len(found)
