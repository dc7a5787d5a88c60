"""Law 1: no committed change is lost, in whatever order transactions commit."""

import threading

import pytest
from django.db import connection, transaction

from content.news.models import Post
from syncer.core.errors import ForeignMarkError
from syncer.models import mark
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 20


class SlowWriter(threading.Thread):
    """Creates a post in a transaction of its own that stays open until it is told to commit."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.written, self.may_commit = threading.Event(), threading.Event()

    def run(self) -> None:
        with transaction.atomic():
            Post.objects.create(title=self.title, body="B")
            self.written.set()
            assert self.may_commit.wait(SECONDS)
        connection.close()

    def __enter__(self):
        self.start()
        assert self.written.wait(SECONDS)
        return self

    def __exit__(self, *_):
        self.may_commit.set()
        self.join(SECONDS)


def titles(remote):
    return sorted(record["title"] for record in remote.records("/posts").values())


@pytest.mark.postgres
def test_a_slow_transaction_is_not_skipped_by_a_sync_between_the_two_commits(remote, target):
    sync(target)
    with SlowWriter("lower history id, commits last"):
        Post.objects.create(title="higher history id, commits first", body="B")
        sync(target)
        assert titles(remote) == ["higher history id, commits first"]
    sync(target)
    assert titles(remote) == ["higher history id, commits first", "lower history id, commits last"]


@pytest.mark.postgres
def test_a_write_in_a_savepoint_is_seen_under_its_top_transaction(remote, target):
    sync(target)
    with SlowWriter("open"), transaction.atomic(), transaction.atomic():
        Post.objects.create(title="in a savepoint", body="B")
    sync(target)
    assert titles(remote) == ["in a savepoint", "open"]


def test_what_is_behind_the_mark_is_not_planned_again(target):
    Post.objects.create(title="A", body="B")
    sync(target)
    assert sync(target).total == 0


def test_a_first_plan_takes_what_was_there_before_the_route(remote, target):
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(3))
    sync(target)
    assert titles(remote) == ["T0", "T1", "T2"]


def test_a_mark_does_not_go_back_where_the_newest_history_is_erased(remote, target):
    Post.objects.create(title="A", body="B")
    sync(target)
    Post.history.all().delete()
    assert sync(target).state == "done"
    Post.objects.create(title="C", body="D")
    assert sync(target).message == "1 created."
    assert titles(remote) == ["A", "C"]


def test_a_mark_of_another_database_is_refused():
    with pytest.raises(ForeignMarkError, match="another database"):
        mark.since(Post, "elsewhere/1:2:")


def test_a_foreign_mark_blocks_the_target_and_names_the_cure(remote, target):
    target.routes.update(mark="elsewhere/1:2:", fingerprint=target.routes.first().current_fingerprint())
    run = sync(target)
    target.refresh_from_db()
    assert "sync_recover" in target.blocked
    assert run.message.startswith("Blocked: ")
