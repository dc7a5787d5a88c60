import pytest
from django.db import IntegrityError

from content.news.models import Post

pytestmark = pytest.mark.django_db


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
