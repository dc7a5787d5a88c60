"""What surrounds each page: a way past the navigation, a heading that names the page, the navigation's groups."""

import re

import pytest

from backoffice.accounts.models import User
from backoffice.kit import clock
from content.news.models import Post
from syncer.models import Alert, Run, Target
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


def steps(path):
    """The path to the page, as its links say it."""
    found = re.search(r'<nav aria-label="Path to this page">.*?</nav>', page(path), re.DOTALL)
    return re.findall(r'<a href="[^"]*">([^<]*)</a>', found[0]) if found else []


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
    ("path", "name", "way"),
    [
        ("/admin/", "Home", []),
        ("/admin/news/post/", "Posts", ["News"]),
        ("/admin/orders/order/add/", "Add order", ["Orders"]),
        ("/admin/news/post/export/", "Export", ["News", "Posts"]),
        ("/admin/news/post/{post}/change/", "A &amp; B", ["News", "Posts"]),
        ("/admin/news/post/{post}/delete/", "Delete", ["News", "Posts", "A &amp; B"]),
        ("/admin/news/post/{post}/history/", "Change history", ["News", "Posts", "A &amp; B"]),
        ("/admin/auth/group/", "Groups", ["People"]),
        ("/admin/accounts/user/{user}/password/", "Set password", ["People", "Users", "administrator"]),
        ("/admin/syncer/target/{target}/preview/", "Preview", ["Sync", "Targets", "Shop"]),
        ("/admin/syncer/target/{target}/deletes/", "Deletes that wait", ["Sync", "Targets", "Shop"]),
        ("/admin/syncer/target/{target}/setup/address/", "Set up: Address", ["Sync", "Targets", "Shop"]),
    ],
)
def test_the_main_heading_is_the_pages_own_name_after_the_path_to_it(path, name, way):
    post = Post.objects.create(title="A & B", body="B")
    target = Target.objects.create(name="shop", title="Shop", url="https://shop.example")
    administrator()
    path = path.format(post=post.pk, target=target.pk, user=User.objects.get().pk)
    assert heading(path) == name
    assert steps(path) == way


def test_only_a_list_that_shows_a_part_offers_to_show_all():
    Post.objects.create(title="A & B", body="B")
    assert "Show all" not in page("/admin/news/post/")
    assert "1 result <a" in page("/admin/news/post/?q=B")
    assert title("/admin/news/post/") == title("/admin/news/post/?q=B")
    assert title("/admin/news/post/").startswith("Posts |")


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


def test_a_menu_beside_a_choice_has_a_name():
    assert 'data-more_vert="Add, change or view what is chosen"' in page("/admin/syncer/route/add/")


def test_rows_that_the_program_writes_lead_to_no_history_of_changes():
    run = Run.objects.create(target=Target.objects.create(name="shop", url="https://shop.example"))
    now = clock.now()
    alert = Alert.objects.create(target=run.target, kind="unhealthy", reason="It is down.", at=now, not_before=now)
    assert "/history/" not in page(f"/admin/syncer/alert/{alert.pk}/change/")
    assert "/history/" in page(f"/admin/syncer/target/{run.target_id}/change/")


def test_what_cannot_be_deleted_says_why_and_leads_back():
    user = User.objects.create_user("warehouse")
    Target.objects.create(name="shop", url="https://shop.example", peer_user=user)
    html = page(f"/admin/accounts/user/{user.pk}/delete/")
    assert "warehouse can&#x27;t be deleted" in html or "warehouse can't be deleted" in html
    assert "shop" in html.lower()
    assert f'href="/admin/accounts/user/{user.pk}/change/"' in html


def test_a_form_for_something_new_offers_no_second_one():
    assert 'class="addlink' not in page("/admin/news/post/add/")
    assert 'class="addlink' in page("/admin/news/post/")
