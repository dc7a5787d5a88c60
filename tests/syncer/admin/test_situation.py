"""The page of one object at one target: what happened, in words, and what can be done."""

import json

import pytest
from django.urls import reverse

from content.news.models import Comment, Post
from syncer.engine import holding
from syncer.engine.holding import chosen_of
from syncer.models import Target
from tests.content.pages import administrator, sign_in
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of

pytestmark = pytest.mark.django_db(transaction=True)
LOOK = ("syncer.view_binding", "syncer.view_attempt")
BUTTONS = ("try_again", "hold", "release")


def page_of(obj, client=None):
    page = (client or administrator()).get(reverse("admin:syncer_binding_change", args=[binding_of(obj).pk]))
    return page.content.decode()


def buttons(page):
    return {name for name in BUTTONS if f'name="action" value="{name}"' in page or f'value="{name}"' in page}


def refuse(remote, post, body):
    remote.fault(Fault.STATUS, method="PUT", status=422, times=None, body=body)
    Post.objects.filter(pk=post.pk).update(title="edited", body="also edited")


@pytest.fixture
def rejected(target, synced, remote):
    refuse(remote, synced, {"title": ["is taken"], "hint": "try another"})
    sync(target)
    return synced


def test_a_rejected_objects_page_tells_in_words_what_the_target_said(rejected):
    page = page_of(rejected)
    assert "answered 422: title: is taken; hint: try another" in page
    assert "<dt>hint</dt><dd>try another</dd>" in page
    assert "{&quot;" not in page
    assert "It is not sent again by itself." in page


def test_each_field_shows_ours_beside_what_was_last_known_there_and_what_the_target_said_of_it(rejected):
    page = page_of(rejected)
    [refused] = [row.partition("</tr>")[0] for row in page.split('<tr class="sync-refused">')[1:]]
    assert [text in refused for text in ("title", "edited", "The target says: is taken", ">A<")] == [True] * 4
    assert ">also edited<" in page


def test_a_rejected_object_can_be_tried_again_held_edited_or_linked(rejected, remote):
    page = page_of(rejected)
    assert buttons(page) == {"try_again", "hold"}
    assert f'href="{reverse("admin:news_post_change", args=[rejected.pk])}"' in page
    assert 'href="#remote_id"' in page
    assert 'id="remote_id"' in page
    data = {"action": "try_again", "_selected_action": [binding_of(rejected).pk], "of": binding_of(rejected).pk}
    answer = administrator().post(reverse("admin:syncer_binding_changelist"), data)
    assert answer["Location"].startswith("/admin/syncer/run/")


def test_whoever_may_only_look_gets_no_buttons(rejected):
    page = page_of(rejected, sign_in(*LOOK, "news.view_post"))
    assert "answered 422: title: is taken" in page
    assert buttons(page) == set()
    assert 'href="#remote_id"' not in page


def test_content_that_a_person_may_not_read_is_not_shown(rejected):
    page = page_of(rejected, sign_in(*LOOK))
    for text in ("is taken", "try another", "edited"):
        assert text not in page
    assert "answered 422" in page


def test_an_object_on_hold_says_by_whom_and_what_is_kept_back(target, synced):
    Post.objects.filter(pk=synced.pk).update(title="edited")
    holding.hold(chosen_of("news.Post", [str(synced.pk)]), reason="Not before Monday")
    sync(target)
    page = page_of(synced)
    assert "Not before Monday (by a command, " in page
    assert "What is kept back" in page
    assert ">edited<" in page
    assert buttons(page) == {"release"}


def test_a_child_says_which_held_parent_it_waits_for(target, post):
    comment = Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    holding.hold(chosen_of("news.Post", [str(post.pk)]), reason="R")
    sync(target)
    page = page_of(comment)
    assert "It waits for another object, which is on hold: it goes when that one is released." in page
    assert reverse("admin:syncer_binding_change", args=[binding_of(post).pk]) in page
    assert buttons(page) == {"hold"}


def test_a_parent_says_which_child_its_delete_waits_for(target, synced):
    comment = Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    sync(target)
    binding, child = binding_of(synced), binding_of(comment)
    holding.hold(chosen_of("news.Comment", [str(comment.pk)]), reason="R")
    synced.delete()
    sync(target)
    page = administrator().get(reverse("admin:syncer_binding_change", args=[binding.pk])).content.decode()
    assert reverse("admin:syncer_binding_change", args=[child.pk]) in page


@pytest.mark.parametrize(
    ("columns", "advice"),
    [
        ({"enabled": False}, "The target is paused: it goes after Resume."),
        ({"blocked": "a setting is wrong"}, "The target is blocked"),
    ],
)
def test_a_pending_object_says_what_stops_its_target(target, synced, columns, advice):
    Post.objects.filter(pk=synced.pk).update(title="edited")
    Target.objects.update(**columns)
    assert advice in page_of(synced)


def test_a_pending_object_of_a_manual_route_needs_a_sync(target, synced):
    Post.objects.filter(pk=synced.pk).update(title="edited")
    assert "Sync now sends it; without that it waits." in page_of(synced)
    target.routes.update(trigger="change")
    assert "It is sent automatically." in page_of(synced)


def test_an_answer_that_is_not_json_is_shown_as_it_is(target, synced, remote):
    remote.fault(Fault.STATUS, method="PUT", status=400, times=None, body=json.loads('"no <b>"'))
    Post.objects.filter(pk=synced.pk).update(title="edited")
    sync(target)
    assert "&lt;b&gt;" in page_of(synced)


def test_each_page_has_a_title_of_its_own(rejected):
    assert f"Post {rejected.pk} at Fake API" in page_of(rejected).partition("</title>")[0]
