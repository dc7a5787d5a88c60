"""What surrounds each page: a way past the navigation, a heading that names the page, the navigation's groups."""

import re

import pytest

from content.news.models import Post
from tests.content.pages import administrator, sign_in

pytestmark = pytest.mark.django_db


def page(path, client=None):
    return (client or administrator()).get(path).content.decode()


def text_of(element, path):
    """The text of the page's first such element."""
    found = re.search(rf"<{element}[ >].*?</{element}>", page(path), re.DOTALL)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found[0])).strip()


def heading(path):
    return text_of("h1", path)


def title(path):
    return text_of("title", path)


def groups(path, client=None):
    """The navigation's groups, and whether each is open."""
    return dict(re.findall(r'<details class="shell-group" id="group-(\w+)" (open|)>', page(path, client)))


@pytest.mark.parametrize("path", ["/admin/", "/admin/news/post/", "/admin/news/post/add/"])
def test_a_link_leads_past_the_navigation_to_the_one_main_part(path):
    html = page(path)
    assert html.index('href="#main"') < html.index('id="nav-sidebar"')
    assert html.count('role="main"') == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/admin/news/post/add/", "Add post"),
        ("/admin/news/post/export/", "Export"),
        ("/admin/news/post/{pk}/delete/", "Delete"),
    ],
)
def test_the_heading_ends_with_the_pages_own_name(path, name):
    post = Post.objects.create(title="A & B", body="B")
    assert heading(path.format(pk=post.pk)).endswith(name)


def test_lists_and_objects_are_named_by_their_path():
    post = Post.objects.create(title="A & B", body="B")
    assert heading(f"/admin/news/post/{post.pk}/change/").endswith("A &amp; B")
    assert "Select" not in heading("/admin/news/post/")


def test_the_pages_of_one_object_or_list_have_titles_of_their_own():
    post = Post.objects.create(title="A & B", body="B")
    assert title(f"/admin/news/post/{post.pk}/delete/").startswith("Delete A &amp; B |")
    assert title("/admin/news/post/export/").startswith("Export posts |")


def test_the_navigation_opens_what_is_used_daily_and_where_one_is():
    assert groups("/admin/")["news"] == groups("/admin/")["syncer"] == "open"
    assert groups("/admin/")["accounts"] == ""
    assert groups("/admin/auth/group/")["accounts"] == "open"


def test_the_navigation_holds_what_one_may_see_only():
    assert not {"tasks", "syncer"} & groups("/admin/", sign_in("news.view_post")).keys()
