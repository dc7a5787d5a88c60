"""A run that is cancelled stops after what is under way, and loses nothing."""

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from content.news.models import Post
from syncer.engine.cancel import cancel
from syncer.engine.runs import work, work_run
from syncer.engine.wake import request_run, sweep
from syncer.models import Binding, Run
from syncer.reports.overview import overviews
from syncer.reports.summary import summary
from tests.content.pages import administrator, person, sign_in
from tests.syncer.conftest import sync
from tests.syncer.support import another_worker, worker_alive

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = 12


@pytest.fixture
def half(target, settings) -> Run:
    """A run of twelve posts, of which a worker has sent the first few."""
    settings.SYNC_BATCH = 2
    Post.objects.bulk_create([Post(title=f"A {number}", body="B") for number in range(NUMBER)])
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    assert not work(run, seconds=0)
    return run


def sent(remote) -> int:
    return len(remote.posts)


def test_a_cancelled_run_sends_no_more_and_what_is_left_is_pending(half, remote):
    before = sent(remote)
    assert cancel(half, user=person("operator"))
    assert work(half)
    half.refresh_from_db()
    assert (half.state, sent(remote)) == ("cancelled", before)
    kept = NUMBER - before
    assert half.message == f"Cancelled by operator; {before} created. {kept} changes are kept for the next sync."
    assert Binding.objects.filter(due=True).count() == kept


def test_what_is_under_way_is_answered_and_settled(target, remote, settings):
    Post.objects.bulk_create([Post(title=f"A {number}", body="B") for number in range(3)])
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    remote.hold("POST")
    worker = another_worker(run)
    remote.wait_for(lambda: remote.journal)
    assert cancel(run, user=person("operator"))
    remote.release()
    worker.join(30)
    assert not worker.is_alive()
    assert sent(remote) == Binding.objects.filter(remote_id__isnull=False).count() > 0
    assert not Binding.objects.filter(unconfirmed=True).exists()


def test_nothing_starts_the_rest_by_itself_and_the_next_sync_sends_it(half, target, remote):
    before = sent(remote)
    cancel(half, user=person("operator"))
    work(half)
    assert sweep() == 0
    assert sent(remote) == before
    assert sync(target).state == "done"
    assert sent(remote) == NUMBER


def test_a_later_change_takes_the_rest_along(half, target, remote):
    cancel(half, user=person("operator"))
    work(half)
    target.routes.update(trigger="change")
    Post.objects.create(title="New", body="B")
    assert sweep() == 1
    work(Run.objects.latest("pk"))
    assert sent(remote) == NUMBER + 1


def test_the_first_page_says_that_the_rest_waits_for_the_next_sync(half, target):
    worker_alive()
    target.routes.update(trigger="change")
    cancel(half, user=person("operator"))
    work(half)
    waiting = Binding.objects.filter(due=True).count()
    assert summary(overviews()).text == f"Nothing needs you; {waiting} changes wait for Sync now."


def test_a_run_that_waits_for_a_worker_ends_at_once(target, remote):
    run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
    assert cancel(run, user=person("operator"))
    work_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.started_at) == ("cancelled", None)
    assert run.message.startswith("Cancelled by operator before it began")


def test_a_run_that_had_delivered_all_when_it_was_cancelled_is_done(half, target):
    sync(target)
    cancel(half, user=person("operator"))
    work(half)
    half.refresh_from_db()
    assert half.state == "done"


def test_a_run_that_has_ended_is_not_cancelled(target):
    run = sync(target)
    assert not cancel(run, user=person("operator"))


def test_the_page_cancels_with_the_permission_to_sync(half):
    url = reverse("admin:syncer_run_cancel", args=[half.pk])
    assert sign_in("syncer.view_run", name="viewer").post(url).status_code == 403
    assert administrator().get(url).status_code == 405
    client = sign_in("syncer.sync_target")
    page = client.get(reverse("admin:syncer_run_change", args=[half.pk])).content.decode()
    assert url in page
    answer = client.post(url, follow=True)
    assert "stops after what is under way" in answer.content.decode()
    assert url not in answer.content.decode()
    half.refresh_from_db()
    assert half.cancelled_by == "editor"


def test_the_command_cancels_the_runs_of_a_target(half, capsys):
    call_command("sync_cancel", "fakeapi", "--json")
    assert json.loads(capsys.readouterr().out)["cancelled"] == [half.pk]
    call_command("sync_cancel", "fakeapi")
    assert capsys.readouterr().out == "Runs that were cancelled: 0.\n"
