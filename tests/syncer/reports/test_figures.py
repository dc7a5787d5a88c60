"""What monitoring reads costs as much for many objects as for few, and a rate is right whatever time its rows cover."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.kit import clock
from content.news.models import Post
from syncer.models import Attempt, Binding
from syncer.reports import figures as module
from syncer.reports.figures import figures
from tests.syncer.conftest import sync


def statements() -> int:
    with CaptureQueriesContext(connection) as queries:
        figures()
    return len(queries)


def test_many_objects_cost_no_more_statements_than_one(target):
    Post.objects.create(title="P", body="B", user_id=99)
    sync(target)
    Post.objects.create(title="P", body="B", user_id=100)
    few = statements()
    Post.objects.bulk_create(Post(title="P", body="B", user_id=n) for n in range(30))
    sync(target)
    Post.objects.bulk_create(Post(title="P", body="B", user_id=n) for n in range(30, 60))
    assert statements() == few


def test_of_very_many_deliveries_the_newest_are_read(target, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    Post.objects.create(title="P", body="B")
    sync(target)
    attempt, now = Attempt.objects.get(), clock.now()
    Attempt.objects.all().delete()
    for n in range(20):  # one a second
        attempt.pk, attempt.at = None, now - timedelta(seconds=n)
        attempt.save()
    [deliveries] = figures().deliveries
    assert deliveries.per_second["create", "done"] == pytest.approx(10 / 9, rel=0.1)


def test_what_was_not_answered_has_no_time(target, remote):
    Post.objects.create(title="P", body="B")
    sync(target)
    Attempt.objects.update(status=None)
    [deliveries] = figures().deliveries
    assert deliveries.seconds == {}
    assert Binding.objects.count() == 1
