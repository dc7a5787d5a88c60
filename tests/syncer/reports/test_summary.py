"""The sentence about all targets: what needs a person, and what is on its way."""

import pytest

from content.news.models import Post
from syncer.models import Binding, Run, Target, Worker
from syncer.reports.overview import overview, overviews
from syncer.reports.summary import summary
from tests.syncer.conftest import sync
from tests.syncer.support import worker_alive

pytestmark = pytest.mark.django_db(transaction=True)


def posts(number: int) -> list[Post]:
    return Post.objects.bulk_create([Post(title=f"A {i}", body="B") for i in range(number)])


@pytest.fixture
def working(target: Target) -> Target:
    """A target that has three posts, and a worker that is alive."""
    worker_alive()
    posts(3)
    sync(target)
    return target


def said() -> tuple[str, bool]:
    found = summary(overviews())
    return found.text, found.needs_person


def set_aside(target, number, **columns):
    keys = list(Binding.objects.filter(route__target=target).values_list("pk", flat=True)[:number])
    Binding.objects.filter(pk__in=keys).update(wanted=5, **columns)


def test_with_nothing_left_all_is_in_sync(working):
    assert said() == ("All in sync.", False)
    assert overview(working).health == "healthy"


def test_changes_wait_for_a_person_to_press_or_are_on_their_way(working):
    posts(2)
    assert said() == ("Nothing needs you; 2 changes wait for Sync now.", False)
    working.routes.update(trigger="change")
    assert said() == ("Nothing needs you; 2 changes are on their way.", False)


@pytest.mark.parametrize("columns", [{"rejected": 5}, {"in_doubt": True}])
def test_a_target_with_objects_that_wait_for_a_person_is_not_healthy(working, columns):
    set_aside(working, 2, **columns)
    assert said() == ("2 objects need you.", True)
    assert overview(working).health == "needs a person"


@pytest.mark.parametrize("columns", [{}, {"in_doubt": True}, {"rejected": 5}])
def test_what_a_person_keeps_back_waits_for_no_decision(working, columns):
    set_aside(working, 2, on_hold=True, **columns)
    assert said() == ("Nothing needs you; 2 objects are on hold.", False)
    assert overview(working).health == "healthy"


def test_what_needs_a_person_comes_before_what_is_on_hold(working):
    set_aside(working, 1, on_hold=True)
    Binding.objects.filter(on_hold=False).update(wanted=5, rejected=5)
    assert said() == ("2 objects need you; 1 object is on hold.", True)


def test_deletes_that_wait_need_a_person_and_are_not_on_their_way(working):
    working.routes.update(trigger="change", max_deletes=0)
    Post.objects.all().delete()
    Run.objects.all().delete()
    sync(working)
    assert said() == ("3 objects need you.", True)


def test_without_a_worker_nothing_is_sent(working):
    Worker.objects.all().delete()
    posts(1)
    assert said() == ("No worker is running; 1 change for Fake API is kept (no worker).", True)
    assert overview(working).health == "no worker"


def test_what_a_paused_target_lacks_is_kept(working):
    posts(2)
    Target.objects.update(enabled=False)
    assert said() == ("Nothing needs you; 2 changes for Fake API are kept (paused).", False)


def test_a_blocked_target_needs_a_person(working):
    Target.objects.update(blocked="answered 401")
    assert said() == ("Fake API is blocked.", True)


def test_numbers_that_can_not_be_read_are_not_called_healthy(working):
    working.routes.filter(model="news.Post").update(mark="elsewhere/1:2:")
    assert said() == ("What waits for Fake API can't be read.", True)
    assert overview(working).health == "needs a person"


def test_a_target_that_was_sent_nothing_says_so(target):
    worker_alive()
    assert overview(target).health == "not contacted yet"
    posts(1)
    sync(target)
    assert overview(target).health == "healthy"


def test_the_target_that_needs_somebody_most_comes_first(working):
    for name, columns in (("a", {}), ("b", {"enabled": False}), ("c", {"blocked": "answered 401"})):
        Target.objects.create(name=name, url="https://example.com", **columns)
    set_aside(working, 1, rejected=5)
    assert [found.target.name for found in overviews()] == ["c", "fakeapi", "b", "a"]


@pytest.mark.parametrize("is_planned", [False, True])
def test_sync_now_on_a_paused_target_tells_the_number_that_its_card_shows(working, is_planned):
    posts(4)
    if is_planned:
        set_aside(working, 1)
    Target.objects.update(enabled=False)
    working.refresh_from_db()
    pending = overview(working).pending
    assert sync(working).message == f"Fake API is paused; {pending} changes are kept."
    assert pending == 4 + is_planned
