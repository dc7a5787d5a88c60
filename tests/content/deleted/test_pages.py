"""What was deleted is found on a page of its model, and restored from there with what was deleted with it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.kit.context import because
from content.news.models import Comment, Post
from content.palettes.models import Palette, Team
from syncer.models import Target
from tests.content.pages import administrator, browser, person, sign_in
from tests.remote import Remote
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture

pytestmark = pytest.mark.django_db(transaction=True)
target = target_fixture

DELETED, RESTORE = reverse("admin:news_post_deleted"), reverse("admin:news_post_restore")
MAY = ("news.view_post", "news.add_post", "news.delete_post", "news.add_comment", "news.delete_comment")


def with_comments(number: int, title: str = "Title") -> Post:
    post = Post.objects.create(title=title, body="Body")
    Comment.objects.bulk_create(
        Comment(post=post, name=f"N{i}", email=f"reader{i}@example.com", body="B") for i in range(number)
    )
    return post


def delete_on_page(client, post: Post):
    return client.post(reverse("admin:news_post_delete", args=[post.pk]), {"post": "yes", "_reason": "Out of date"})


def undo_of(page) -> str:
    """The address behind *Undo* in the message of a page."""
    (address,) = re.findall(r'href="([^"]+)">Undo<', page.content.decode())
    return str(address).replace("&amp;", "&")


def test_the_page_tells_who_deleted_what_when_and_why():
    delete_on_page(administrator(), with_comments(1))
    page = administrator().get(DELETED).content.decode()
    row = Post.history.first()
    for text in ("Title", "administrator", "Out of date", row.history_date.strftime("%Y-%m-%d")):
        assert text in page


def test_the_list_leads_to_what_was_deleted():
    assert f'href="{DELETED}"' in administrator().get(reverse("admin:news_post_changelist")).content.decode()


def test_what_was_restored_is_on_the_page_no_more_and_can_be_deleted_again():
    post, client = with_comments(0), administrator()
    delete_on_page(client, post)
    client.post(f"{RESTORE}?row={Post.history.first().pk}")
    assert "No posts are deleted." in client.get(DELETED).content.decode()
    delete_on_page(client, post)
    assert [row.history_type for row in Post.history.all()] == ["-", "+", "-", "+"]
    assert client.get(DELETED).content.decode().count('name="row"') == 1


def test_undo_brings_back_a_post_with_the_comments_that_went_with_it():
    post = with_comments(3)
    other = Comment.objects.latest("pk").pk
    Comment.objects.filter(pk=other).delete()  # by the program, before
    client = administrator()
    page = client.post(reverse("admin:news_post_delete", args=[post.pk]), {"post": "yes"}, follow=True)
    question = client.get(undo_of(page)).content.decode()
    assert "This comes back: 1 post and 2 comments." in question
    answer = client.post(undo_of(page), {"_reason": "By mistake"}, follow=True)
    assert "3 objects are restored." in answer.content.decode()
    assert (Post.objects.get(), Comment.objects.count()) == (post, 2)
    assert not Comment.objects.filter(pk=other).exists()
    assert Post.history.first().history_change_reason == "By mistake"


def test_the_chosen_ones_come_back_and_no_others():
    posts = [with_comments(1, f"T{number}") for number in range(3)]
    client = administrator()
    data = {"action": "delete_selected", "_selected_action": [post.pk for post in posts], "post": "yes"}
    client.post(reverse("admin:news_post_changelist"), data)
    rows = {row.title: row.pk for row in Post.history.filter(history_type="-")}
    client.post(f"{RESTORE}?row={rows['T0']}&row={rows['T2']}")
    assert sorted(Post.objects.values_list("title", flat=True)) == ["T0", "T2"]
    assert Comment.objects.count() == 2


def test_undo_of_chosen_ones_brings_all_of_them_back():
    posts = [with_comments(1, f"T{number}") for number in range(3)]
    client = administrator()
    data = {"action": "delete_selected", "_selected_action": [post.pk for post in posts], "post": "yes"}
    page = client.post(reverse("admin:news_post_changelist"), data, follow=True)
    client.post(undo_of(page))
    assert (Post.objects.count(), Comment.objects.count()) == (3, 3)


def test_what_a_program_deleted_comes_back_with_its_children_too():
    post = with_comments(2)
    with because("cleaning"):
        post.delete()
    administrator().post(f"{RESTORE}?row={Post.history.first().pk}")
    assert Comment.objects.count() == 2


@pytest.mark.sqlite
def test_without_request_and_transaction_the_time_tells_what_went_together():
    post = with_comments(2)
    first = Comment.objects.earliest("pk").pk
    Comment.objects.filter(pk=first).delete()
    post.delete()
    row = Comment.history.filter(id=first, history_type="-")
    row.update(history_date=row.get().history_date - timedelta(hours=1))
    administrator().post(f"{RESTORE}?row={Post.history.first().pk}")
    assert [comment.pk for comment in Comment.objects.all()] == [first + 1]


def test_restoring_needs_the_permission_to_add():
    post = with_comments(1)
    delete_on_page(administrator(), post)
    client = sign_in("news.view_post")
    assert 'name="row"' not in client.get(DELETED).content.decode()
    answer = client.post(f"{RESTORE}?row={Post.history.first().pk}")
    assert answer.status_code == 403
    assert "You need the permission news.add_post to add posts." in answer.content.decode()
    assert not Post.objects.exists()


def test_the_page_needs_the_permission_to_view():
    assert sign_in("news.view_comment").get(DELETED).status_code == 403


def test_children_that_one_may_not_add_stay_deleted_and_the_question_says_so():
    post = with_comments(2)
    delete_on_page(administrator(), post)
    client = sign_in("news.view_post", "news.add_post")
    url = f"{RESTORE}?row={Post.history.first().pk}"
    assert "so these stay deleted: 2 comments." in client.get(url).content.decode()
    client.post(url)
    assert (Post.objects.count(), Comment.objects.count()) == (1, 0)


def test_what_others_own_is_not_shown_and_not_restored():
    owner, stranger = person("owner"), person("stranger", "palettes.view_palette", "palettes.add_palette")
    team = Team.objects.get(memberships__user=owner)
    palette = Palette.objects.create(team=team, name="Secret", colors=[])
    palette.delete()
    client = browser(stranger)
    assert "Secret" not in client.get(reverse("admin:palettes_palette_deleted")).content.decode()
    client.post(f"{reverse('admin:palettes_palette_restore')}?row={Palette.history.first().pk}")
    assert not Palette.objects.exists()


def test_what_can_no_longer_be_is_named_with_the_reason():
    post = with_comments(1)
    comment = Comment.objects.get()
    comment.delete()
    post.delete()
    url = f"{reverse('admin:news_comment_restore')}?row={Comment.history.first().pk}"
    page = administrator().post(url, follow=True).content.decode()
    assert "Restore the post first" in page
    assert not Comment.objects.exists()


def test_the_question_says_what_targets_get_again(remote: Remote, target: Target):
    post = with_comments(2)
    sync(target)
    delete_on_page(administrator(), post)
    url = f"{RESTORE}?row={Post.history.first().pk}"
    page = administrator().get(url).content.decode()
    assert "Nothing is sent to Fake API: it has not deleted its records yet." in page
    sync(target)
    page = administrator().get(url).content.decode()
    assert "3 creates will go to Fake API. This waits for the next Sync now." in page


def test_a_text_finds_what_was_deleted():
    for title in ("Spring catalog", "Opening hours"):
        with_comments(0, title).delete()
    page = administrator().get(DELETED, {"q": "spring"}).content.decode()
    assert ("Spring catalog" in page, "Opening hours" in page) == (True, False)


def test_the_page_costs_the_same_for_many():
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            page = client.get(DELETED).content.decode()
        shown.append(page.count('name="row"'))
        return len(found)

    client, shown = administrator(), list[int]()
    with_comments(0).delete()
    queries()
    few = queries()
    for number in range(60):
        with_comments(0, f"T{number}")
    Post.objects.all().delete()
    assert queries() == few
    assert shown[-1] == 50


def test_older_ones_are_on_the_next_page():
    for number in range(55):
        with_comments(0, f"T{number}.")
    Post.objects.all().delete()
    client = administrator()
    (following,) = re.findall(r'href="(\?before=\d+)"', client.get(DELETED).content.decode())
    assert client.get(f"{DELETED}{following}").content.decode().count('name="row"') == 5


@pytest.mark.parametrize("query", ["row=x", f"row={'9' * 30}", "row=5&row=²"])
def test_an_address_that_names_no_row_is_not_found(query):
    assert administrator().get(f"{RESTORE}?{query}").status_code == 404


@pytest.mark.parametrize("query", ["", "row=77", "act=unknown", "act=%00"])
def test_where_nothing_can_be_restored_the_page_says_so(query):
    page = administrator().get(f"{RESTORE}?{query}", follow=True).content.decode()
    assert "Nothing is restored" in page


def test_restoring_twice_restores_once():
    with_comments(1).delete()
    client, url = administrator(), f"{RESTORE}?row={Post.history.first().pk}"
    client.post(url)
    assert "Nothing is restored" in client.post(url, follow=True).content.decode()
    assert Post.history.count() == 3
