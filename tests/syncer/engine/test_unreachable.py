"""What pages and programs show of a target that has stopped answering."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from backoffice.kit import clock
from content.news.models import Post
from syncer.core.circuit import FAILURES
from syncer.core.state import Health
from syncer.models import Binding, Target
from syncer.public import object_states
from syncer.reports.overview import overview
from syncer.reports.words import WORDS
from tests.content.pages import administrator, sign_in
from tests.remote import Fault
from tests.syncer.conftest import sync, sync_automatically
from tests.syncer.management.test_commands import run
from tests.syncer.support import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=5)


def index(client):
    return client.get(reverse("admin:index")).content.decode()


@pytest.fixture
def refused(target, remote):
    """A target that refuses its connections; 12 changes wait, and the next probe is in five minutes."""
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(12))
    remote.stop()
    sync(target)
    Target.objects.update(probe_at=clock.now() + LATER)
    target.refresh_from_db()
    assert target.opened_at
    return target


def test_the_run_says_why_and_when_it_is_tried_again(target, remote):
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(12))
    remote.stop()
    message = sync(target).message
    assert re.fullmatch(r"Fake API refused the connection; 12 changes are kept, next try in [12] s", message)


def test_the_target_has_a_state_of_its_own_with_the_reason_and_the_next_try(refused):
    found = overview(refused)
    assert (found.health, found.why) == (Health.UNREACHABLE, "Fake API refused the connection")
    assert found.next_try == refused.probe_at
    assert WORDS[found.health]


def test_a_pause_is_said_first_and_a_wait_after(refused):
    Target.objects.update(not_before=clock.now() + 2 * LATER)
    refused.refresh_from_db()
    found = overview(refused)
    assert (found.health, found.next_try) == (Health.UNREACHABLE, refused.not_before)
    refused.blocked = "Fake API answered 401"
    assert overview(refused).health is Health.BLOCKED
    refused.enabled = False
    assert overview(refused).health is Health.PAUSED


def test_it_is_said_even_where_no_object_says_why_any_more(refused):
    Binding.objects.update(tries=0)
    assert overview(refused).why == ""
    assert sync(refused).message.startswith("Fake API refused the connection; 12 changes are kept")
    Binding.objects.update(tries=0)
    Target.objects.update(not_before=clock.now() + LATER)
    assert sync_automatically(refused).message.startswith("Fake API is unreachable; 12 changes are kept, next try in ")


def test_an_object_that_failed_is_tried_again_with_its_target(refused):
    failed = Binding.objects.filter(tries=1)[0]
    ((state,),) = object_states(Post, [int(failed.object_key)]).values()
    assert (state.state, state.next_try) == ("retrying", refused.probe_at)


def test_the_pages_show_it(refused):
    client = administrator()
    for page in (
        index(client),
        client.get(reverse("admin:syncer_target_change", args=[refused.pk])).content.decode(),
        client.get(reverse("admin:syncer_target_changelist")).content.decode(),
    ):
        assert "sync-chip sync-unreachable" in page
    assert "Fake API refused the connection" in index(client)


def test_resume_lets_the_next_probe_be_due(refused):
    Target.objects.update(blocked="Fake API answered 401")
    administrator().post(reverse("admin:syncer_target_resume", args=[refused.pk]))
    refused.refresh_from_db()
    assert (refused.blocked, bool(refused.opened_at)) == ("", True)
    assert refused.probe_at <= clock.now()


def test_the_status_names_it_until_it_answers(refused, remote):
    answer, status = run("sync_status")
    assert status == 1
    assert answer["unreachable"]["fakeapi"]["why"] == "refused the connection"
    assert answer["unreachable"]["fakeapi"]["next_try"] == str(refused.probe_at)
    remote.start()
    sync(refused)
    answer, status = run("sync_status")
    assert (answer["unreachable"], status) == ({}, 0)


def test_a_target_that_is_unreachable_and_has_nothing_to_send_is_not_a_success(refused):
    Binding.objects.all().delete()
    Post.objects.all().delete()
    refused.routes.all().delete()
    assert run("sync_status")[1] == 1


def test_a_reader_who_may_not_see_the_content_is_not_shown_what_an_answer_quotes(target, remote):
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(FAILURES))
    remote.fault(Fault.STATUS, status=500, body={"detail": "secret title"}, times=None)
    sync(target)
    let_time_pass()
    page = index(sign_in("syncer.view_target"))
    assert "unreachable" in page
    assert "Fake API answered 500" in page
    assert "secret title" not in page
    assert "secret title" in index(administrator())
