"""Every answer tells the browser what it may load: our own files, and no script that is in the page."""

from html.parser import HTMLParser

import pytest
from django.urls import reverse

from backoffice.kit import csp
from content.news.models import Post
from tests.content.pages import administrator

pytestmark = pytest.mark.django_db


class Inline(HTMLParser):
    """What of a page the policy would not run or apply."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        is_data = values.get("type") == "application/json"
        if tag == "script" and "src" not in values and not is_data:
            self.found.append(self.get_starttag_text())
        self.found += [f"{tag} {name}" for name in values if name.startswith("on")]
        self.found += [f"{tag} {name}" for name in values if (values[name] or "").startswith("javascript:")]


def policy(path, client=None):
    return (client or administrator()).get(path)[csp.HEADER]


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/health/live/", "/api/news/posts/"])
def test_what_is_not_of_the_theme_is_kept_strictly(path):
    assert policy(path) == csp.text(csp.STRICT)
    assert "unsafe" not in policy(path)


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/news/post/", "/admin/news/post/add/"])
def test_the_themes_pages_may_evaluate_and_write_no_scripts(path):
    assert "script-src 'self' 'unsafe-eval';" in policy(path)


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_the_apis_pages_may_style_themselves(path):
    assert "script-src 'self';" in policy(path)
    assert "style-src 'self' 'unsafe-inline'" in policy(path)


def test_no_policy_names_another_host_or_allows_scripts_in_pages():
    for one in (csp.STRICT, csp.ADMIN, csp.API_DOCS):
        assert "http" not in csp.text(one)
        assert "'unsafe-inline'" not in one["script-src"]


def test_no_page_holds_a_script():
    post = Post.objects.create(title="A", body="B")
    client = administrator()
    paths = [
        "/admin/",
        "/admin/news/post/",
        reverse("admin:news_post_change", args=[post.pk]),
        "/api/docs",
        "/api/redoc",
    ]
    assert [found for path in paths for found in Inline(client.get(path).content.decode()).found] == []


# --- compression -----------------------------------------------------------------------------------------------------
ZIPPED = {"accept-encoding": "gzip"}


def test_a_page_is_compressed_and_differs_in_length_each_time():
    client = administrator()
    answers = [client.get("/admin/news/post/", headers=ZIPPED) for _ in range(8)]
    assert {answer["Content-Encoding"] for answer in answers} == {"gzip"}
    assert len({len(answer.content) for answer in answers}) > 1
    assert "Accept-Encoding" in answers[0]["Vary"]


def test_the_apis_answers_keep_their_strong_etags():
    post = Post.objects.create(title="A" * 200, body="B" * 1000)
    answer = administrator().get(f"/api/news/posts/{post.pk}/", headers=ZIPPED)
    assert "Content-Encoding" not in answer
    assert answer["ETag"].startswith('"')
