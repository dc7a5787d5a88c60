"""Records, fields and what will follow: what is suggested, shown and kept, and to whom."""

import pytest
from django.urls import reverse

from content.news.models import Post
from syncer.models import Binding, Route, Run, Target
from tests.content.pages import sign_in
from tests.remote import Fault
from tests.syncer.admin.setup.walk import Walk, url
from tests.syncer.support import requests

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = {
    "address": ("syncer.change_target",),
    "sign_in": ("syncer.change_target",),
    "try": ("syncer.change_target", "syncer.sync_target"),
    "records": ("syncer.change_target", "syncer.sync_target", "syncer.add_route"),
    "fields": ("syncer.change_target", "syncer.sync_target", "syncer.change_route", "news.view_post"),
    "finish": ("syncer.change_target", "syncer.sync_target", "syncer.change_route", "news.view_post"),
}
ALL = {one for needed in STEPS.values() for one in needed}


def address(step: str, route: Route) -> str:
    return url(step, route.target.pk, *([route.pk] if step in ("fields", "finish") else []))


@pytest.fixture
def both(remote):
    """A post here and one there."""
    remote.store.create("posts", {"userId": 1, "title": "T", "body": "theirs", "createdAt": "2026-01-01"})
    return Post.objects.create(title="A", body="ours")


# --- who may ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("step", STEPS)
def test_each_step_needs_its_permissions_and_asks_the_target_nothing_without(remote, draft, step):
    for number, missing in enumerate(STEPS[step]):
        held = {"syncer.view_target", *ALL} - {missing}
        client = sign_in(*held, name=f"editor{number}")
        assert client.get(address(step, draft)).status_code == 403, missing
        assert client.post(address(step, draft), {"auth": "none"}).status_code == 403, missing
    assert requests(remote) == []
    assert sign_in(*STEPS[step]).get(address(step, draft)).status_code == 200


def test_a_new_target_needs_the_permission_to_add_one(db):
    assert sign_in("syncer.change_target").get(url("")).status_code == 403
    assert sign_in("syncer.add_target", name="other").get(url("")).status_code == 200


def test_whoever_may_not_view_posts_sets_up_no_route_for_them(remote, draft, both):
    held = {*ALL, "syncer.add_target", "news.view_comment", "palettes.view_palette"} - {"news.view_post"}
    walk = Walk(remote, sign_in(*held))
    for step in ("fields", "finish"):
        assert "You need the permission news.view_post to view posts." in walk.go(address(step, draft)).text
        assert walk.client.post(address(step, draft), {"on": "1"}).status_code == 403
    assert requests(remote) == []
    walk.go(address("records", draft))
    offered = [label for label, _name in walk.page.context["form"].fields["model"].choices]
    assert offered == ["", "news.Comment"]  # of palettes they see only those of their teams
    walk.send(model="news.Post", path="/posts")
    assert "news.Post is not a model that you may have sent" in walk.errors["model"][0]


def test_a_step_of_nothing_is_not_there(walk, draft):
    for step in ("fields", "finish"):
        for keys in ((draft.target.pk, 0), (draft.target.pk, "x"), (draft.target.pk + 1, draft.pk)):
            assert walk.client.get(url(step, *keys)).status_code == 404


def test_a_route_of_a_domain_that_is_gone_is_named_and_breaks_no_step(walk, draft):
    Route.objects.create(target=draft.target, model="gone.Thing", path="/things")
    for step in ("fields", "finish"):
        walk.go(address(step, draft))
        assert walk.step == "route"
        assert "carries gone.Thing, which is not installed here; delete that route" in walk.text


# --- records ---------------------------------------------------------------------------------------------------------
def test_a_path_that_the_address_names_is_tried_first(walk, remote, paused, both):
    remote.fault(Fault.STATUS, status=200, path="/", body={"posts": f"{remote.url}/v1/posts"}, times=2)
    remote.fault(Fault.STATUS, status=200, path="/v1/posts", body=[{"id": 1, "title": "there"}], times=None)
    walk.go(url("records", paused.pk)).send(model="news.Post", path="")
    assert Route.objects.get().path == "/v1/posts"
    assert "Its records are at /v1/posts." in walk.text


def test_the_other_ending_of_a_path_is_tried_too(walk, remote, paused):
    remote.fault(Fault.REDIRECT, path="/posts", location="/posts/", status=301)
    walk.go(url("records", paused.pk)).send(model="news.Post", path="posts")
    assert Route.objects.get().path == "/posts/"


def test_a_path_without_a_list_is_said_and_a_person_can_insist(walk, remote, paused):
    remote.fault(Fault.STATUS, status=405, times=None)
    walk.go(url("records", paused.pk)).send(model="news.Post", path="/posts")
    assert walk.step == "records"
    assert "/posts answered 405, so records are not listed there" in walk.text
    assert not Route.objects.exists()
    walk.press("anyway")
    assert walk.step == "fields"
    assert Route.objects.get().fields == {"user_id": "user_id", "title": "title", "body": "body"}


def test_a_model_that_was_sent_already_is_not_set_up_again(walk, draft):
    Binding.objects.create(route=draft, object_key="1")
    assert '"news.Post"' not in walk.go(url("records", draft.target.pk)).text
    assert walk.client.get(address("fields", draft)).status_code == 404


@pytest.mark.parametrize("path", ["/posts?x=1", "/a b", "/posts#x", "/" + "x" * 300])
def test_a_path_that_is_none_is_refused_and_kept_in_the_form(walk, paused, path):
    walk.go(url("records", paused.pk)).send(model="news.Post", path=path)
    assert [*walk.errors] == ["path"]


# --- fields ----------------------------------------------------------------------------------------------------------
def test_our_object_stands_beside_their_record_and_what_is_left_out_is_shown(walk, draft, both):
    walk.go(address("fields", draft))
    for words in ("createdAt: 2026-01-01", ">ours<", "title: T", "Their fields that get nothing of ours"):
        assert words in walk.text
    assert walk.page.context["form"].left_out() == [("userId", "1"), ("createdAt", "2026-01-01")]


def test_the_preview_shows_the_request_and_saves_nothing(walk, draft, both, remote):
    before = Route.objects.values().get()
    walk.go(address("fields", draft)).press("preview", to_user_id="*", other_user_id="author.id", form_user_id="text")
    assert walk.step == "fields"
    assert f"&quot;author&quot;: {{\n    &quot;id&quot;: &quot;{both.user_id}&quot;" in walk.text
    assert Route.objects.values().get() == before
    assert remote.writes() == []


def test_fields_formats_and_constants_are_kept_as_chosen(walk, draft, both):
    walk.go(address("fields", draft))
    choices = {"to_user_id": "userId", "to_body": "", "to_slug": "*", "other_slug": "seo.slug", "form_user_id": "text"}
    walk.send(**choices, find_slug="on", update="PATCH", **{"constants-0-0": "status", "constants-0-1": "publish"})
    assert walk.step == "finish"
    draft.refresh_from_db()
    assert draft.fields == {"userId": "user_id", "title": "title", "seo.slug": "slug"}
    assert (draft.lookup, draft.formats) == (["title", "seo.slug"], {"userId": "text"})
    assert (draft.constants, draft.update) == ({"status": "publish"}, "PATCH")


def test_what_the_page_does_not_show_is_kept(walk, draft, both):
    Route.objects.update(
        fields={"title": "title", "name": "title", "body": "body"},
        formats={"name": "date"},
        values={"title": {"A": "b"}},
        filter={"user_id__gt": -1},
    )
    walk.go(address("fields", draft)).send(to_title="*", other_title="headline")
    draft.refresh_from_db()
    assert draft.fields == {"headline": "title", "body": "body", "name": "title"}
    assert (draft.formats, draft.values) == ({"name": "date"}, {"headline": {"A": "b"}})
    assert draft.filter == {"user_id__gt": -1}


@pytest.mark.parametrize(
    ("choices", "field", "words"),
    [
        ({"to_body": "title"}, "to-body", "'title' gets title already"),
        ({"to_body": "*"}, "other-body", "Enter the name, or choose another field."),
        ({"to_body": "*", "other_body": "title.x"}, "other-body", "lies inside 'title'"),
        ({"to_body": "*", "other_body": "a..b"}, "other-body", "has an empty part"),
        ({"to_title": "", "to_body": ""}, "__all__", "Give what is sent"),
        ({"id_field": "nothing"}, "id_field", "Select a valid choice"),
    ],
)
def test_a_mapping_that_can_not_work_is_refused_at_its_field_and_nothing_typed_is_lost(
    walk, draft, both, choices, field, words
):
    before = Route.objects.values().get()
    walk.go(address("fields", draft)).send(**choices)
    assert walk.step == "fields"
    assert words in " ".join(walk.errors[field])
    assert Route.objects.values().get() == before
    for name, value in choices.items():
        shown = walk.page.context["form"][name.replace("_", "-", 1) if name != "id_field" else name].value()
        assert shown == value


def test_without_a_record_there_the_names_are_typed(walk, draft):
    walk.go(address("fields", draft))
    assert "The target has no record there yet" in walk.text
    walk.send(other_title="headline")
    draft.refresh_from_db()
    assert draft.fields == {"headline": "title", "body": "body"}


def test_a_target_that_does_not_answer_leaves_the_mapping_open_to_typed_names(walk, draft, remote):
    remote.fault(Fault.RESET, times=None, act=False)
    walk.go(address("fields", draft))
    assert "Its list was not read" in walk.text
    assert walk.send(other_body="text").step == "finish"


# --- what will follow ------------------------------------------------------------------------------------------------
def test_counting_says_what_is_there_already_and_writes_nothing(walk, draft, both, remote):
    Post.objects.create(title="T", body="theirs")
    walk.go(address("finish", draft)).press("count")
    assert "1 is there already and equal: nothing is sent; 1 is created" in walk.text
    assert remote.writes() == []
    assert (Binding.objects.count(), Run.objects.count()) == (0, 0)
    draft.refresh_from_db()
    assert (draft.enabled, draft.mark, draft.adopted_at) == (False, "", None)


def test_where_there_is_nothing_here_yet_the_first_load_is_named(walk, draft):
    assert "manage.py sync_import api" in walk.go(address("finish", draft)).text
    Post.objects.create(title="A", body="B")
    walk.go(address("finish", draft))
    assert "manage.py sync_import" not in walk.text
    assert "To be at API, under /posts: 1 post." in walk.text


@pytest.mark.parametrize(("button", "is_on"), [("on", True), ("off", False), ("another", False)])
def test_nothing_is_on_before_a_person_says_so(walk, draft, button, is_on):
    walk.go(address("finish", draft)).press(button, existing="create", trigger_way="every", trigger_number="2")
    draft.refresh_from_db()
    assert (draft.existing, draft.trigger) == ("create", "every 2 minutes")
    assert (draft.enabled, Target.objects.get().enabled) == (is_on, is_on)


def test_a_route_that_follows_changes_catches_up_when_it_is_switched_on(walk, draft, both):
    walk.go(address("finish", draft)).press("on", trigger_way="change")
    assert Run.objects.get().trigger == "change"


def test_overwriting_without_a_way_to_recognize_records_is_refused(walk, draft):
    Route.objects.update(lookup=[])
    walk.go(address("finish", draft)).press("on", existing="overwrite")
    assert [*walk.errors] == ["existing"]
    assert not Target.objects.get().enabled


def test_a_setup_is_continued_at_its_route(walk, draft):
    page = walk.go(reverse("admin:syncer_target_setup_continue", args=[draft.target.pk]))
    assert page.step == "fields"
    assert walk.send().press("off").step == "change"
