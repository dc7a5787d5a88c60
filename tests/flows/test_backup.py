"""A backup while a real worker delivers, its restore, and the cure: nothing is doubled, nothing is lost."""

import pytest
from django.core.management import CommandError, call_command

from backoffice.kit import clock
from content.news.models import Post
from syncer.models import Binding, Run, Target
from tests.backoffice.operations.conftest import elsewhere, programs  # noqa: F401
from tests.flows.wait import SECONDS, until
from tests.flows.worker import Worker
from tests.syncer.conftest import sync, target  # noqa: F401
from tests.syncer.management.test_commands import run
from tests.syncer.support import let_time_pass, requests

pytestmark = [pytest.mark.law, pytest.mark.django_db(transaction=True)]
LOST = "created after the backup"


@pytest.fixture
def file(tmp_path, target, remote):  # noqa: F811
    """A backup that was made while a worker delivered; since then, much has happened here and at the target."""
    target.routes.update(trigger="change")
    Post.objects.bulk_create(Post(title=title, body="B") for title in ("deleted", "edited"))
    with Worker():
        until(lambda: Binding.objects.filter(remote_id__isnull=False).count() == 2)
        Post.objects.bulk_create(Post(title=f"on its way {number}", body="B") for number in range(20))
        remote.wait_for(lambda: len(remote.writes()) >= 5, SECONDS)
        call_command("backup", str(tmp_path / "a.zip"))
        with pytest.raises(CommandError, match=r"Stop the web server and the worker first"):
            call_command("restore", str(tmp_path / "a.zip"), "--replace")
        Post.objects.get(title="deleted").delete()
        Post.objects.filter(title="edited").update(title="edited after the backup")
        Post.objects.create(title=LOST, body="B")
        until(lambda: sorted(record["title"] for record in remote.posts.values()) == sorted(titles()))
        until(lambda: not Run.objects.filter(finished_at=None).exists())
    return tmp_path / "a.zip"


def test_a_restore_into_another_cluster_and_into_the_same_database(file, remote, elsewhere):  # noqa: F811
    with elsewhere(cluster=True):
        call_command("restore", str(file))
        assert_cured(remote)
    call_command("restore", str(file), "--replace")
    assert_cured(remote)


def titles():
    return list(Post.objects.values_list("title", flat=True))


def assert_cured(remote):
    """Nothing is sent before somebody says so; then the target holds what we hold, once, and what we lost stays."""
    assert sorted(titles()) == sorted(["deleted", "edited", *(f"on its way {number}" for number in range(20))])
    Binding.objects.exclude(lease_until=None).update(lease_until=clock.now())  # as if the worker's had ended
    remote.clear_journal()
    sync(Target.objects.get())
    assert "manage.py sync_recover" in Target.objects.get().blocked
    assert requests(remote) == []
    run("sync_recover")
    for _ in range(5):
        let_time_pass()
        sync(Target.objects.get())
    assert sorted(record["title"] for record in remote.posts.values()) == sorted([*titles(), LOST])
    assert run("sync_status")[1] == 0
