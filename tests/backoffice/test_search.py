"""The search over everything: what it finds, for whom, and at what cost."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice import search
from content.news.models import Comment, Post
from syncer.models import Target
from tests.content.pages import administrator, sign_in

pytestmark = pytest.mark.django_db
STATEMENTS = 20  # a search of all models makes, its session and permissions included


def found(client, term, **more):
    answer = client.get("/admin/search/", {"s": term, **more})
    assert answer.status_code == 200
    results = answer.context["results"]
    return [one.title for one in results.found] if results else []


@pytest.fixture
def post():
    return Post.objects.create(title="About gardening", body="Roses in the snow")


def test_an_object_is_found_by_a_part_of_its_texts_in_either_case(post):
    assert found(administrator(), "ARDENI") == ["About gardening"]
    assert found(administrator(), "snow") == ["About gardening"]


def test_each_word_must_be_there_in_any_order(post):
    assert found(administrator(), "snow garden") == ["About gardening"]
    assert found(administrator(), "snow rain") == []


def test_an_object_is_found_by_its_key_however_short(post):
    assert "About gardening" in found(administrator(), str(post.pk))


@pytest.mark.parametrize("term", ["9" * 30, "-1", "\0", "'; --", "%", "_%_", '"', "(?", "\\", "x" * 5000, "ẞß"])
def test_no_term_fails(post, term):
    assert found(administrator(), term) == []


def test_targets_people_and_lists_are_found_too(post):
    Target.objects.create(name="demo", title="Demo API", url="https://demo.example")
    assert found(administrator(), "demo api") == ["Demo API"]
    assert "administrator" in found(administrator(), "administ")
    assert found(administrator(), "comments") == ["Comments"]


def test_who_may_not_see_a_model_does_not_find_its_objects(post):
    assert found(sign_in("tasks.view_item"), "gardening") == []
    assert found(sign_in("news.view_post", name="reader"), "gardening") == ["About gardening"]


def test_a_permission_that_was_taken_away_counts_at_once(post):
    client = sign_in("news.view_post")
    assert found(client, "gardening")
    Permission.objects.get(codename="view_post").user_set.clear()
    assert client.get("/admin/search/", {"s": "gardening"}).context["results"].found == []


def test_of_many_a_few_are_shown_and_the_list_leads_to_all(post):
    Post.objects.bulk_create(Post(title=f"About gardening {n}", body="B") for n in range(20))
    answer = administrator().get("/admin/search/", {"s": "gardening"})
    results = answer.context["results"]
    assert len(results.found) == search.EACH
    assert [one.url for one in results.more] == ["/admin/news/post/?q=gardening"]


def test_the_number_of_statements_does_not_grow(post):
    client = administrator()
    found(client, "gardening")

    def statements():
        with CaptureQueriesContext(connection) as made:
            found(client, "gardening")
        return len(made)

    few = statements()
    Post.objects.bulk_create(Post(title=f"About gardening {n}", body="B") for n in range(200))
    assert (statements(), few <= STATEMENTS) == (few, True)


def test_no_search_counts_or_sorts_content(post):
    client = administrator()
    with CaptureQueriesContext(connection) as made:
        found(client, "gardening")
    asked = [one["sql"] for one in made if "news_post" in one["sql"]]
    assert asked
    assert not any("COUNT(" in sql or "ORDER BY" in sql.split("LIMIT")[-1] for sql in asked)
    assert all(re.search(r"LIMIT \d( OFFSET \d+)?$", sql) or '"id" = ' in sql for sql in asked)


def test_without_an_index_only_the_newest_are_looked_at_and_the_page_says_so(post, monkeypatch):
    monkeypatch.setattr(search, "is_indexed", lambda using: False)
    Comment.objects.bulk_create(
        Comment(post=post, name="N", email="e@example.com", body=f"words {n}") for n in range(5)
    )
    monkeypatch.setattr(search, "NEWEST", 2)
    assert len(found(administrator(), "words")) == 2
    assert "the newest 2 were looked at" in administrator().get("/admin/search/?s=words&part=1").content.decode()


def test_words_of_content_are_escaped(post):
    Post.objects.create(title="<script>alert(1)</script> gardening", body="B")
    page = administrator().get("/admin/search/", {"s": "<script>alert", "part": "1"}).content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; gardening" in page


def test_whoever_is_not_signed_in_is_sent_to_sign_in(client):
    assert client.get("/admin/search/?s=a&part=1").status_code == 302
