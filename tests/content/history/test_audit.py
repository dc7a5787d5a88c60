"""What was written while the triggers were off is found, and can be recorded."""

from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from content.base.history import audit, triggers
from content.base.history.tables import recorded
from content.news.models import Comment, Post
from content.orders.models import Order
from content.tasks.models import Item
from tests.content.history.support import execute, kinds, newest

pytestmark = [pytest.mark.law, pytest.mark.django_db(transaction=True)]


@contextmanager
def no_triggers():
    triggers.drop(connection)
    yield
    triggers.install(connection)


def check(capsys, *args, **options):
    """What the command says; a refusal too."""
    try:
        call_command("check_history", *args, **options)
    except CommandError as error:
        return f"{capsys.readouterr().out}{error}"
    return capsys.readouterr().out


@pytest.fixture
def drift():
    """Of three posts one was changed and one deleted without history, and one was made."""
    kept, changed, deleted = Post.objects.bulk_create([Post(title="T", body="B") for _ in range(3)])
    with no_triggers():
        Post.objects.filter(pk=changed.pk).update(title="new")
        deleted.delete()
        made = Post.objects.create(title="T", body="B")
    return kept, changed, made


def test_what_has_its_history_is_well(capsys):
    post = Post.objects.create(title="T", body="B")
    Comment.objects.create(post=post, name="N", email="a@example.com", body="B")
    Item.objects.create(title="T", external_data={"a": [1, None]})
    Post.objects.update(title="new")
    Order.objects.create(product_name="Umbrella", quantity=1).delete()
    assert check(capsys) == "Every row is as its history says.\n"


def test_drift_is_reported_row_by_row(capsys, drift):
    _, changed, made = drift
    said = check(capsys)
    for line in (
        f"news.Post {changed.pk} was changed without history.",
        f"news.Post {changed.pk + 1} was deleted without history.",
        f"news.Post {made.pk} was made without history.",
        "3 rows have no history. To record them: manage.py check_history --record.",
    ):
        assert line in said
    assert kinds() == "+++"


def test_drift_is_recorded_once(capsys, drift):
    assert "3 rows were recorded." in check(capsys, record=True)
    assert sorted(kinds()[3:]) == sorted("~-+")
    assert newest().history_change_reason == audit.REASON
    assert check(capsys) == "Every row is as its history says.\n"
    assert set(Post.objects.values_list("pk", "title")) == {
        (row.id, row.title) for row in Post.history.latest_of_each().exclude(history_type="-")
    }


def test_one_model_can_be_asked_for(capsys, drift):
    assert check(capsys, "news.Comment") == "Every row is as its history says.\n"
    assert "3 rows have no history" in check(capsys, "news.Post")
    assert "'news.Pots' is not a model with history; there are: " in check(capsys, "news.Pots")


def test_nothing_is_compared_while_triggers_are_missing(capsys):
    triggers.drop(connection)
    try:
        assert "manage.py migrate" in check(capsys)
    finally:
        triggers.install(connection)


def test_what_was_deleted_and_made_again_under_its_key_is_found(capsys):
    post = Post.objects.create(title="T", body="B")
    pk = post.pk
    post.delete()
    with no_triggers():
        Post.objects.create(pk=pk, title="T", body="B")
    assert f"news.Post {pk} was made without history." in check(capsys)


@pytest.mark.parametrize("number", [1, 3, 4, 7])
def test_many_rows_are_looked_at_a_page_at_a_time(monkeypatch, number):
    monkeypatch.setattr(audit, "PAGE", 3)
    with no_triggers():
        made = Order.objects.bulk_create([Order(product_name="Umbrella", quantity=1) for _ in range(number)])
    pages = list(audit.pages(recorded(Order, connection), connection))
    assert len(pages) == -(-number // 3)
    found = [Order._meta.pk.to_python(key) for page in pages for key, _ in page]
    assert found == sorted(one.pk for one in made)


def test_only_the_first_rows_are_named(capsys, monkeypatch):
    with no_triggers():
        Post.objects.bulk_create([Post(title="T", body="B") for _ in range(30)])
    said = check(capsys)
    assert said.count(" was made without history.") == 20
    assert "news.Post: 30 made without history." in said


def test_a_value_that_became_empty_differs(capsys):
    Item.objects.create(title="T", external_fetched_at="2026-01-01T00:00Z")
    with no_triggers():
        execute("UPDATE tasks_item SET external_fetched_at = NULL")
    assert "was changed without history." in check(capsys)
