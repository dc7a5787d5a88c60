"""Pages call objects by the names that people know, and lead from one to the next."""

import re

import pytest
from django.urls import reverse

from content.news.models import Post
from syncer.models import Binding
from tests.content.pages import administrator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def words(answer):
    """The text of the page's heading, and of the whole page."""
    html = answer.content.decode()
    heading = re.search(r"<h1.*?</h1>", html, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", part)) for part in (heading[0] if heading else "", html)]


@pytest.fixture
def edited(target, synced):
    """A post that was edited since its sync."""
    synced.title = "Edited"
    synced.save()
    return synced


def test_the_page_of_an_object_at_a_target_is_headed_by_both_names(target, synced):
    heading, _ = words(administrator().get(reverse("admin:syncer_binding_change", args=[Binding.objects.get().pk])))
    assert heading.endswith(f"Post {synced.pk} at Fake API ")
    assert "News.Post" not in heading


def test_the_oldest_unsent_change_is_named_by_its_title_and_linked(edited):
    link = f'<a class="sync-link" href="{reverse("admin:news_post_change", args=[edited.pk])}">Edited</a>'
    assert link in administrator().get(reverse("admin:index")).content.decode()


def test_the_oldest_unsent_change_shows_no_title_to_whoever_may_not_see_it(edited):
    _, text = words(sign_in("syncer.sync_target").get(reverse("admin:index")))
    assert f"just now: Post {edited.pk}" in text
    assert "Edited" not in text


def test_the_oldest_unsent_change_of_a_deleted_object_has_its_name(target, synced):
    pk = synced.pk
    Post.objects.all().delete()
    assert f"just now: Post {pk}" in words(administrator().get(reverse("admin:index")))[1]


@pytest.mark.parametrize(
    ("permissions", "is_there"), [(["news.view_post"], False), (["news.view_post", "syncer.view_binding"], True)]
)
def test_an_objects_form_leads_to_its_page_at_the_target_whoever_may_see_that(target, synced, permissions, is_there):
    address = reverse("admin:syncer_binding_change", args=[Binding.objects.get().pk])
    form = sign_in(*permissions).get(reverse("admin:news_post_change", args=[synced.pk]))
    assert (f'href="{address}">Details</a>' in form.content.decode()) is is_there


def test_an_object_that_was_never_planned_has_no_page_at_the_target(target, post):
    form = administrator().get(reverse("admin:news_post_change", args=[post.pk]))
    assert "Details" not in form.content.decode()
