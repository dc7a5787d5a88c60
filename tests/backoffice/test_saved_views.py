"""A list's filters, search and order are saved under a name, for oneself or for all."""

import pytest
from django.urls import reverse

from backoffice.kit.views.models import SavedView
from content.news.models import Post
from tests.content.pages import administrator, browser, person, sign_in

pytestmark = pytest.mark.django_db

LIST = reverse("admin:news_post_changelist")
SAVE = reverse("admin:news_post_view_save")
READ = "news.view_post"


def saved(client, name: str = "Spring", query: str = "q=spring&o=1&p=2", **more: str) -> list[str]:
    """Save a view, and return the messages."""
    answer = client.post(SAVE, {"name": name, "query": query, **more}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def links(client, address: str = LIST) -> dict[str, str]:
    return {str(link.view): link.url for link in client.get(address).context["saved_views"]}


def test_a_view_is_a_link_above_the_list_that_shows_what_was_saved():
    for title in ("Spring catalog", "Opening hours"):
        Post.objects.create(title=title, body="B")
    client = sign_in(READ)
    assert saved(client) == ["The view “Spring” is saved."]
    address = links(client)["Spring"]
    assert address == f"{LIST}?o=1&q=spring"  # without the page
    page = client.get(address)
    assert [post.title for post in page.context["cl"].result_list] == ["Spring catalog"]
    assert 'aria-current="page">Spring' in page.content.decode()


def test_a_view_is_its_owners_only_unless_it_is_for_all():
    owner, other = sign_in(READ, "views.share_savedview"), sign_in(READ, name="other")
    saved(owner, "Mine")
    saved(owner, "Ours", shared="on")
    assert ([*links(owner)], [*links(other)]) == (["Mine", "Ours"], ["Ours"])


def test_a_view_belongs_to_its_list():
    client = sign_in(READ, "news.view_comment")
    saved(client)
    assert links(client, reverse("admin:news_comment_changelist")) == {}


def test_sharing_needs_its_permission():
    client = sign_in(READ)
    answer = client.post(SAVE, {"name": "Ours", "query": "", "shared": "on"})
    assert answer.status_code == 403
    assert not SavedView.objects.exists()
    assert 'name="shared"' not in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("name", "why"), [("Spring", "Choose another name."), ("", "blank"), ("x" * 65, "64"), ("a\0", "Null")]
)
def test_a_name_that_cannot_be_is_refused_and_replaces_nothing(name, why):
    client = sign_in(READ)
    saved(client)
    (message,) = saved(client, name, "q=other")
    assert message.startswith("The view was not saved.")
    assert why in message
    assert SavedView.objects.get().query == "o=1&q=spring"


def test_an_address_that_is_too_long_is_refused():
    assert saved(sign_in(READ), query="q=" + "x" * 3000)[0].startswith("The view was not saved.")


def test_two_people_may_use_one_name():
    saved(sign_in(READ))
    assert saved(sign_in(READ, name="other")) == ["The view “Spring” is saved."]


def test_a_view_is_deleted_by_its_owner_and_one_for_all_by_whoever_may_share():
    owner, other = sign_in(READ, "views.share_savedview"), sign_in(READ, name="other")
    saved(owner, "Ours", shared="on")
    url = reverse("admin:news_post_view_delete", args=[SavedView.objects.get().pk])
    assert other.post(url).status_code == 404
    assert administrator().post(url).status_code == 302
    assert not SavedView.objects.exists()


def test_a_view_of_another_is_not_deleted_even_by_whoever_may_share():
    saved(sign_in(READ))
    url = reverse("admin:news_post_view_delete", args=[SavedView.objects.get().pk])
    assert sign_in(READ, "views.share_savedview", name="other").post(url).status_code == 404


def test_saving_and_deleting_need_a_post_and_the_permission_to_view():
    assert sign_in(READ).get(SAVE).status_code == 405
    assert browser(person("other")).post(SAVE, {"name": "x", "query": ""}).status_code == 403
