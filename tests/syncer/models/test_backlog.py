"""The numbers of a backlog: exact, or counted to a bound that they name."""

import pytest

from content.news.models import Post
from syncer.models import Binding, backlog
from syncer.reports import overview as overviews
from tests.syncer.conftest import sync


@pytest.fixture
def route(target):
    """The route of posts, which has read the history up to now."""
    sync(target)
    return target.routes.get(model="news.Post")


def posts(number: int) -> list[Post]:
    return Post.objects.bulk_create([Post(title=f"A {i}", body="B") for i in range(number)])


def test_up_to_the_bound_every_number_is_exact(route):
    posts(3)
    assert str(backlog.of_route(route, most=3).pending) == "3"


def test_above_the_bound_a_number_says_that_it_is_more(route):
    posts(4)
    assert str(backlog.of_route(route, most=3).pending) == "more than 3"


def test_what_is_due_and_what_changed_since_are_counted_once(route, target):
    due, changed = posts(2), posts(2)
    for post in due:
        Binding.objects.create(route=route, object_key=str(post.pk), wanted=1)
    assert str(backlog.of_route(route, most=4).pending) == str(len(due) + len(changed))


def test_an_object_that_changed_often_is_one_object_though_not_all_its_changes_were_read(route):
    (post,) = posts(1)
    for number in range(5):
        Post.objects.filter(pk=post.pk).update(body=f"B {number}")
    assert str(backlog.of_route(route, most=3).pending) == "at least 1"
    assert str(backlog.of_route(route).pending) == "1"


def test_a_route_that_reads_everything_is_counted_to_the_bound(target):
    posts(4)
    new = target.routes.get(model="news.Post")
    assert str(backlog.of_route(new, most=3).pending) == "more than 3"
    assert str(backlog.of_route(new, most=4).pending) == "4"


COLUMNS: dict[str, dict[str, int | bool]] = {
    "retrying": {"tries": 1},
    "rejected": {"rejected": 2},
    "in_doubt": {"in_doubt": True},
    "on_hold": {"on_hold": True},
}


def test_each_state_is_counted_to_the_bound(route):
    made = [
        Binding(route=route, object_key=f"{state} {i}", wanted=2, delivered=1, remote_id=f'"{state} {i}"', **columns)
        for state, columns in COLUMNS.items()
        for i in range(3)
    ]
    Binding.objects.bulk_create(made)
    exact, bounded = backlog.of_route(route), backlog.of_route(route, most=2)
    assert [(getattr(exact, name), str(getattr(bounded, name))) for name in COLUMNS] == [(3, "more than 2")] * 4
    assert (exact.bound, str(bounded.bound)) == (12, "more than 2")


def test_the_sum_of_a_target_says_that_it_is_more_if_one_number_does(route, target, monkeypatch):
    monkeypatch.setattr(overviews, "MOST", 2)
    posts(3)
    assert str(overviews.overview(target).pending) == "more than 2"
