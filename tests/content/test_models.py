import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import Count, F, Value
from django.db.models.functions import Concat, Upper
from django.test.utils import CaptureQueriesContext

from content.base.models import KEYS
from content.news.models import Comment, Post

pytestmark = [pytest.mark.law, pytest.mark.django_db]

MANY = KEYS + 100  # two pages, and one query for all would be seen


def test_saving_without_a_change_leaves_no_history():
    post = Post.objects.create(title="A", body="B")
    Post.objects.get(pk=post.pk).save()
    assert Post.history.count() == 1


def test_a_stale_object_saves_only_the_named_field():
    post = Post.objects.create(title="old", body="old")
    stale = Post.objects.get(pk=post.pk)
    Post.objects.filter(pk=post.pk).update(body="new")
    stale.title = "new"
    stale.save(update_fields=["title"])
    row = Post.history.first()
    assert (row.title, row.body) == ("new", "new")


@pytest.mark.parametrize("title", ["", "   ", "x" * 257])
def test_the_database_refuses_a_text_that_is_blank_or_too_long(title):
    with pytest.raises((IntegrityError, Exception)):
        Post.objects.bulk_create([Post(title=title, body="B")])


# --- bulk updates ----------------------------------------------------------------------------------------------------
@pytest.fixture
def posts():
    return Post.objects.bulk_create([Post(title=f"T{number}", body="B", user_id=number) for number in range(3)])


@pytest.mark.parametrize(
    ("rows", "values"),
    [
        (lambda: Post.objects.values("pk"), {"body": "new"}),
        (lambda: Post.objects.values_list("title", flat=True), {"body": "new"}),
        (lambda: Post.objects.distinct(), {"body": "new"}),
        (lambda: Post.objects.filter(comments__name="N").distinct(), {"body": "new"}),
        (lambda: Post.objects.only("title").select_related().prefetch_related("comments"), {"body": "new"}),
        (lambda: Post.objects.annotate(text=Concat("title", Value("!"))), {"body": F("text")}),
        (lambda: Post.objects.annotate(number=Count("comments")).filter(number=2), {"body": "new"}),
    ],
)
def test_what_django_updates_is_updated_with_history(posts, rows, values):
    Comment.objects.bulk_create(
        Comment(post=post, name="N", email="reader@example.com", body="B") for post in posts for _ in range(2)
    )
    assert rows().update(**values) == 3
    stored = set(Post.objects.values_list("pk", "body"))
    assert {body for _, body in stored} == ({"new"} if values == {"body": "new"} else {"T0!", "T1!", "T2!"})
    assert set(Post.history.filter(history_type="~").values_list("id", "body")) == stored


def test_an_update_of_many_rows_goes_by_pages_and_only_the_changed_leave_history():
    made = Post.objects.bulk_create([Post(title="T", body="B") for _ in range(MANY)])
    Post.objects.filter(pk=made[0].pk).update(title="new")
    with CaptureQueriesContext(connection) as queries:
        assert Post.objects.update(title="new") == MANY
    assert max(query["sql"].count(",") for query in queries if " IN (" in query["sql"]) < KEYS + 10
    assert Post.history.filter(history_type="~", title="new").count() == MANY


def test_a_bulk_update_of_many_rows_goes_by_pages():
    made = Post.objects.bulk_create([Post(title="T", body="B") for _ in range(MANY)])
    for post in made:
        post.title = "new"
    with CaptureQueriesContext(connection) as queries:
        assert Post.objects.bulk_update(made, ["title"], batch_size=100) == MANY
    assert max(query["sql"].count(",") for query in queries if "SELECT" in query["sql"]) < KEYS + 10
    assert Post.history.filter(history_type="~", title="new").count() == MANY


# --- expressions -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("update_fields", [None, ["user_id", "title"]])
def test_an_expression_is_saved_as_its_value_from_the_row(posts, update_fields):
    post = Post.objects.get(pk=posts[1].pk)
    Post.objects.filter(pk=post.pk).update(user_id=7)
    post.user_id, post.title = F("user_id") + 1, Upper("body")  # type: ignore[assignment]
    post.save(update_fields=update_fields)
    row, stored = Post.history.first(), Post.objects.get(pk=post.pk)
    for found in (post, row, stored):
        assert (found.user_id, found.title) == (8, "B")


def test_an_expression_that_changes_nothing_writes_nothing(posts):
    posts[0].user_id = F("user_id")
    posts[0].save()
    assert Post.history.count() == 3


# --- validation -------------------------------------------------------------------------------------------------------


def checks_asked(obj):
    with CaptureQueriesContext(connection) as queries:
        try:
            obj.validate_constraints()
        except ValidationError as error:
            return error.messages, len([one for one in queries if "_check" in one["sql"]])
    return [], len([one for one in queries if "_check" in one["sql"]])


def test_the_database_is_asked_once_for_all_checks_that_hold():
    assert checks_asked(Post(title="T", body="B")) == ([], 1)


def test_checks_that_do_not_hold_are_each_named():
    said, _ = checks_asked(Post(title=" ", body="x" * 1025))
    assert [text.partition(" ")[0] for text in said] == ["title", "body"]


def test_an_object_that_was_mended_is_asked_about_anew():
    post = Post(title=" ", body="B")
    assert checks_asked(post)[0]
    post.title = "T"
    assert checks_asked(post) == ([], 1)
    post.title = " "
    assert checks_asked(post)[0]
