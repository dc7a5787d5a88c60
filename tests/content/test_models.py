import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from content.news.models import Post

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("title", ["", "   ", "x" * 257])
def test_the_database_refuses_a_text_that_is_blank_or_too_long(title):
    with pytest.raises((IntegrityError, Exception)):
        Post.objects.bulk_create([Post(title=title, body="B")])


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


def test_a_corrected_object_is_checked_again():
    post = Post(title=" ", body="B")
    assert checks_asked(post)[0]
    post.title = "T"
    assert checks_asked(post) == ([], 1)
    post.title = " "
    assert checks_asked(post)[0]
