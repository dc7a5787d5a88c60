"""Counts of big tables: exact up to a bound, "more than" beyond it, an estimate for a whole table."""

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.kit import estimates
from backoffice.kit.estimates import BoundedPaginator, Count, FoundPaginator, count
from content.news.models import Post
from tests.content.pages import administrator

pytestmark = pytest.mark.django_db


@pytest.fixture
def posts():
    Post.objects.bulk_create(Post(title=f"Title {number % 2}", body="B") for number in range(30))


@pytest.fixture
def analyzed(posts):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE news_post")


def test_few_rows_are_counted(posts):
    found = count(Post.objects.all(), most=30)
    assert (found, str(found), found.words) == (30, "30", "")


def test_of_many_rows_that_match_a_filter_it_is_said_that_they_are_more(analyzed):
    found = count(Post.objects.filter(title="Title 1"), most=10)
    assert (found, str(found)) == (10, "more than 10")


def test_all_rows_of_a_big_table_are_estimated_and_labeled_so(analyzed):
    found = count(Post.objects.all(), most=10)
    assert str(found) == f"about {int(found)}"
    assert 20 <= found <= 10_000  # SQLite's row numbers grow with each test


@pytest.mark.postgres
def test_a_table_that_was_never_analyzed_is_not_estimated(posts):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = -1 WHERE relname = 'news_post'")
    assert str(count(Post.objects.all(), most=10)) == "more than 10"


@pytest.mark.parametrize(("number", "rounded"), [(12_345, 12_000), (4_996_000, 5_000_000), (7, 7)])
def test_an_estimate_does_not_look_counted(number, rounded):
    assert estimates._rounded(number) == rounded


def test_a_template_writes_the_words():
    written = Template("{{ found }} posts").render(Context({"found": Count(5_000_000, "about")}))
    assert written == "about 5,000,000 posts"


def test_no_page_beyond_the_bound_is_offered():
    pages = BoundedPaginator(list(range(25_000)), 50)
    assert pages.num_pages == 200
    assert len(pages.page(200).object_list) == 50


@pytest.mark.parametrize(("query", "most"), [("", estimates.MOST), ("?q=title", estimates.MOST_FOUND)])
def test_no_list_of_the_admin_counts_a_whole_table(posts, query, most):
    client = administrator()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse("admin:news_post_changelist") + query)
    counted = [query["sql"] for query in queries if "COUNT(" in query["sql"] and "news_post" in query["sql"]]
    assert counted
    assert all(f"LIMIT {most + 1})" in sql for sql in counted)
    assert page.context["cl"].result_count == 30


def test_a_search_finds_no_more_than_can_be_paged_through(posts, monkeypatch):
    monkeypatch.setattr(FoundPaginator, "most", 20)
    page = administrator().get(reverse("admin:news_post_changelist") + "?q=title")
    assert str(page.context["cl"].result_count) == "more than 20"
    assert page.context["cl"].paginator.num_pages == 1
