"""Hold and release on the engine's pages."""

import pytest
from django.urls import reverse

from content.news.models import Post
from syncer.engine import holding, many
from syncer.engine.holding import bindings_of
from syncer.models import Binding
from tests.content.pages import administrator, form_of, sign_in
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/syncer/binding/"
VIEW = ("syncer.view_binding", "news.view_post", "news.view_comment")
SYNC = "syncer.sync_target"


def act(client, action, *bindings, **data):
    chosen = [binding.pk for binding in bindings]
    return client.post(LIST, {"action": action, "_selected_action": chosen, **data}, follow=True)


def test_the_question_says_what_follows_and_nothing_is_held_yet(target, synced):
    page = act(administrator(), "hold", binding_of(synced))
    assert page.context["title"] == "Hold 1 object?"
    assert f"Post {synced.pk} A (Fake API)" in page.content.decode()
    assert not binding_of(synced).on_hold


def test_the_answer_to_the_question_holds_and_the_list_says_why(target, synced):
    client = administrator()
    form = form_of(act(client, "hold", binding_of(synced)), "question")
    page = client.post(LIST, form | {"reason": "Wait for legal", "sure": "yes"}, follow=True).content.decode()
    assert "1 object is on hold now." in page
    assert "Wait for legal (administrator, " in page
    assert binding_of(synced).on_hold


def test_without_a_reason_the_question_is_asked_again(target, synced):
    page = act(administrator(), "hold", binding_of(synced), sure="yes", reason=" ").content.decode()
    assert "This field is required." in page
    assert not binding_of(synced).on_hold


def test_chosen_ones_are_released_and_the_list_can_be_filtered_for_them(target, synced):
    other = Post.objects.create(title="Other", body="B")
    sync(target)
    holding.hold(bindings_of(Binding.objects.filter(pk=binding_of(synced).pk)), reason="R")
    client = administrator()
    found = client.get(LIST, {"state": "on hold"}).context["cl"].result_list
    assert [str(row) for row in found] == [f"news.Post:{synced.pk}"]
    page = act(client, "release", binding_of(synced), binding_of(other), sure="yes").content.decode()
    assert "1 object is released." in page
    assert not binding_of(synced).on_hold


def test_all_of_a_filtered_list_are_held(target, synced):
    Post.objects.create(title="Other", body="B")
    sync(target)
    data = {"action": "hold", "_selected_action": [binding_of(synced).pk], "select_across": "1", "reason": "R"}
    administrator().post(f"{LIST}?model=news.Post", data | {"sure": "yes"})
    assert Binding.objects.filter(on_hold=True).count() == 2


def test_very_many_become_a_job_whose_page_is_shown(target, synced, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 0)
    page = act(administrator(), "hold", binding_of(synced), reason="R", sure="yes")
    assert page.redirect_chain[0][0].startswith("/admin/jobs/job/")


@pytest.mark.parametrize("action", ["hold", "release"])
def test_it_needs_the_permission_to_sync(target, synced, action):
    client = sign_in(*VIEW)
    act(client, action, binding_of(synced), reason="R", sure="yes")
    assert not binding_of(synced).on_hold
    assert f'value="{action}"' not in client.get(LIST).content.decode()
    client = sign_in(*VIEW, SYNC, name="operator")
    act(client, "hold", binding_of(synced), reason="R", sure="yes")
    assert binding_of(synced).on_hold


def test_content_that_a_person_may_not_see_is_not_named_in_the_question(target, synced):
    page = act(sign_in("syncer.view_binding", SYNC), "hold", binding_of(synced)).content.decode()
    assert f"news.Post:{synced.pk}" in page
    assert f"Post {synced.pk} A" not in page


# --- on the pages of content ------------------------------------------------------------------------------------------
def posts(action, post, **data):
    return {"action": action, "_selected_action": [post.pk], **data}


def test_the_form_holds_its_object_and_returns_to_it(target, synced):
    client, address = administrator(), reverse("admin:news_post_change", args=[synced.pk])
    listed = reverse("admin:news_post_changelist")
    assert 'value="hold"' in client.get(address).content.decode()
    question = client.post(listed, posts("hold", synced, of=synced.pk))
    assert question.context["title"] == "Hold 1 post?"
    form = form_of(question, "question")
    page = client.post(listed, form | {"reason": "Wait for legal", "sure": "yes"}, follow=True)
    assert page.redirect_chain == [(address, 302)]
    text = page.content.decode()
    assert "1 object is on hold now." in text
    assert "Wait for legal (administrator, " in text
    assert 'value="release"' in text
    assert 'value="hold"' not in text


def test_an_object_is_held_on_its_list_before_it_was_ever_sent(target, post):
    listed = reverse("admin:news_post_changelist")
    administrator().post(listed, posts("hold", post, reason="R", sure="yes", target="fakeapi"))
    assert binding_of(post).on_hold
    administrator().post(listed, posts("release", post, sure="yes"))
    assert not binding_of(post).on_hold


def test_holding_content_needs_the_permission_to_sync(target, post):
    client = sign_in("news.view_post", "news.view_comment", "news.change_post")
    client.post(reverse("admin:news_post_changelist"), posts("hold", post, reason="R", sure="yes"))
    assert not Binding.objects.exists()
    page = client.get(reverse("admin:news_post_change", args=[post.pk])).content.decode()
    assert 'value="hold"' not in page


def test_a_target_that_is_none_of_the_models_is_refused(target, post):
    listed = reverse("admin:news_post_changelist")
    page = administrator().post(listed, posts("hold", post, reason="R", sure="yes", target="elsewhere"))
    assert "elsewhere is not one of the available choices." in page.content.decode()
    assert not Binding.objects.exists()
