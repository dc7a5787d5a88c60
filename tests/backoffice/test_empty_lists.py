"""A list without rows says what is so, and offers to add something only to whoever may."""

import pytest
from django.urls import reverse

from content.news.models import Post
from tests.content.pages import administrator, sign_in

pytestmark = pytest.mark.django_db


def text_of(page, client=None, **query):
    answer = (client or administrator()).get(reverse(f"admin:{page}_changelist"), query)
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("syncer_replica", "Nothing waits for a decision."),
        ("syncer_alert", "Nobody had to be notified of anything."),
        ("syncer_binding", "No object was planned for a target yet"),
        ("syncer_run", "There are no runs yet."),
        ("jobs_job", "There are no jobs yet."),
    ],
)
def test_a_list_that_nobody_adds_to_says_only_what_is_so(page, text):
    found = text_of(page)
    assert text in found
    for wrong in ("Create a new item", "No results found", ">add</span>"):
        assert wrong not in found


def test_whoever_may_add_is_offered_that():
    add = reverse("admin:news_post_add")
    assert f'href="{add}"' in text_of("news_post")
    found = text_of("news_post", sign_in("news.view_post"))
    assert "There are no posts yet." in found
    assert add not in found


def test_a_search_that_finds_nothing_says_so_and_can_be_reset():
    Post.objects.create(title="A", body="B")
    found = text_of("news_post", q="no such")
    assert "Nothing fits the search and the filters." in found
    assert "Reset filters" in found
    assert "There are no posts yet." not in found
