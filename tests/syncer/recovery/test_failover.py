"""What is done where a standby was promoted: all routes stop, and go on at once where nothing was lost."""

from contextlib import closing, contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from content.news.models import Post
from syncer.models import Binding, Target
from tests import replication
from tests.flows.wait import until
from tests.syncer.backups import backup, restored
from tests.syncer.conftest import sync
from tests.syncer.management.test_commands import run
from tests.syncer.recovery.test_restores import NOTHING, assert_stopped, ours, theirs

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def primary(target):
    return replication.Server(int(connection.settings_dict["PORT"]))


@pytest.fixture
def standby(primary):
    with replication.standby(primary) as standby:
        yield standby


@contextmanager
def promoted(standby):
    """The program runs on the standby, which was promoted."""
    standby.promote()
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = standby.port
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["PORT"] = port


def txid(post):
    return Post.history.filter(id=post.pk).values_list("txid", flat=True).get()


def test_after_a_fail_over_that_lost_nothing_the_routes_go_on(target, post, remote, primary, standby):
    """Also a change that was not committed yet when the mark was taken, and one that was not planned yet."""
    with closing(connection.copy()) as slow, slow.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE news_post SET body = 'slow'")
        assert sync(target).message == "1 created."
        cursor.execute("COMMIT")
    Post.objects.create(title="unplanned", body="B")
    until(lambda: standby.has_replayed(primary))
    with promoted(standby):
        assert_stopped(target, remote, "in another database than this one")
        answer, status = run("sync_recover", "--nothing-lost")
        assert (answer["moved"], status) == (2, 0)
        assert sync(Target.objects.get()).message == "1 created, 1 updated."
        assert [entry.method for entry in remote.writes()] == ["PUT", "POST"]
        assert ours() == theirs(remote)
        assert sync(target).message == NOTHING


def test_a_fail_over_that_lost_commits_stops_the_routes(target, synced, remote, primary, standby):
    """The ids of the lost transactions are used again, so that nothing but the timeline tells."""
    until(lambda: standby.has_replayed(primary))
    standby.receive_nothing()
    lost = Post.objects.create(title="lost", body="B")
    Post.objects.filter(pk=synced.pk).update(body="lost")
    assert sync(target).message == "1 created, 1 updated."
    lost_txid = txid(lost)
    with promoted(standby):
        Post.objects.bulk_create(Post(title=f"later {number}", body="B") for number in range(3))
        assert min(txid(post) for post in Post.objects.filter(title__startswith="later")) <= lost_txid
        assert_stopped(target, remote, "in another database than this one")
        assert Binding.objects.count() == 1
        run("sync_recover")
        assert sync(Target.objects.get()).state == "done"
        assert ours() == theirs(remote, without=["lost"])


def test_only_a_fail_over_can_have_lost_nothing(target, synced, remote):
    with backup() as name, restored(name):
        with pytest.raises(CommandError, match="in another database"):
            call_command("sync_recover", "--nothing-lost")
        assert_stopped(target, remote, "in another database than this one")
