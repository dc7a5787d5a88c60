from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models
from django.test.utils import CaptureQueriesContext

from content.base.fields import FieldCheck
from content.news.models import Post
from tests.content.doors import content_models

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


def test_the_database_is_not_asked_for_checks_that_hold():
    assert checks_asked(Post(title="T", body="B")) == ([], 0)


def test_checks_that_do_not_hold_are_each_named():
    said, _ = checks_asked(Post(title=" ", body="x" * 1025))
    assert [text.partition(" ")[0] for text in said] == ["title", "body"]


def test_a_corrected_object_is_checked_again():
    post = Post(title=" ", body="B")
    assert checks_asked(post)[0]
    post.title = "T"
    assert checks_asked(post) == ([], 0)
    post.title = " "
    assert checks_asked(post)[0]


VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    5,
    2**31,
    "",
    " ",
    "\t",
    "\n",
    "a",
    "a\n",
    "aä",
    "a/b",
    "PENDING",
    "from",
    "ä" * 256,
]
VALUES += ["x" * length for length in (64, 65, 128, 129, 255, 256, 257, 1024, 1025, 4096, 4097, 20_001)]
VALUES += [[], {}, {"a": 1}, ["#AABBCC"], ["#aabbcc"], ["#AABBCC"] * 64, ["#AABBCC"] * 65]
CHECKS = [
    pytest.param(model, check, id=check.name)
    for model in content_models()
    for check in model._meta.constraints
    if isinstance(check, FieldCheck)
]


@pytest.mark.parametrize(("model", "check"), CHECKS)
def test_what_python_calls_valid_the_database_does_too(model, check):
    valid = [value for value in VALUES if check.holds(value)]
    assert 0 < len(valid) < len(VALUES)
    for value in valid:
        models.CheckConstraint.validate(check, model, model(**{check.field: value}))
