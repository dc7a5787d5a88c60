"""Content pages say where an object stands at the targets, and sync the chosen ones."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from content.news.models import Post
from syncer.engine.runs import work
from syncer.models import Route, Run, Target
from tests.content.pages import administrator, form_of, sign_in
from tests.remote import Fault, Remote
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture

pytestmark = pytest.mark.django_db(transaction=True)
target = target_fixture

LIST = "admin:news_post_changelist"
LOOK = ("news.view_post", "news.view_comment", "syncer.view_run")


def second(target: Target) -> Target:
    """Another target that posts travel to."""
    made = Target.objects.create(name="second", url=target.url)
    Route.objects.create(target=made, model="news.Post", path="/posts", fields={"title": "title"})
    return made


def change(post: Post) -> str:
    return reverse("admin:news_post_change", args=[post.pk])


def test_the_list_shows_each_objects_state(remote: Remote, target: Target):
    remote.fault(
        Fault.STATUS, method="POST", path="/posts", status=422, times=None, where=lambda body: body["title"] == "bad"
    )
    Post.objects.create(title="good", body="B")
    Post.objects.create(title="bad", body="B")
    sync(target)
    Post.objects.create(title="new", body="B")
    page = administrator().get(reverse(LIST)).content.decode()
    assert [page.count(f">{state}</span>") for state in ("in sync", "rejected", "pending")] == [1, 1, 1]


def test_a_revert_says_what_will_follow(target):
    post = Post.objects.create(title="Old", body="B")
    Post.objects.filter(pk=post.pk).update(title="New")
    sync(target)
    first = reverse("admin:news_post_simple_history", args=[post.pk, Post.history.last().pk])
    page = administrator().post(first, follow=True).content.decode()
    assert "1 update will go to Fake API. This waits for the next Sync now." in page


def test_with_several_targets_the_list_names_them(target):
    second(target)
    Post.objects.create(title="A", body="B")
    page = administrator().get(reverse(LIST)).content.decode()
    assert page.count(">pending</span>") == 2
    assert "<span>Fake API <span" in page
    assert "<span>second <span" in page


def test_without_a_target_there_is_no_column():
    post = Post.objects.create(title="A", body="B")
    client = administrator()
    for url in (reverse(LIST), change(post)):
        page = client.get(url).content.decode()
        assert "At targets" not in page


def test_the_column_costs_the_same_for_many(target):
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(reverse(LIST))
        return len(found)

    client = administrator()
    Post.objects.create(title="A", body="B")
    sync(target)
    queries()
    few = queries()
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(40))
    sync(target)
    assert queries() == few


def test_the_form_shows_state_reason_and_record(remote: Remote, target: Target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422, body={"why": "not here"})
    post = Post.objects.create(title="A", body="B")
    sync(target)
    client = sign_in(*LOOK)
    page = client.get(change(post)).content.decode()
    assert "The target refused it for good, or its route can&#x27;t write it." in page
    assert "not here" in page
    Post.objects.filter(pk=post.pk).update(title="B")
    sync(target)
    page = client.get(change(post)).content.decode()
    assert "The target accepted what we hold." in page
    assert '<td data-label="There">1</td>' in page


def test_an_edit_on_the_form_is_pending_at_once(target):
    post = Post.objects.create(title="A", body="B")
    sync(target)
    client = administrator()
    client.post(change(post), form_of(client.get(change(post)), "post_form") | {"title": "edited"})
    assert ">pending</span>" in client.get(change(post)).content.decode()


def test_the_chosen_objects_are_synced_and_no_others(remote: Remote, target: Target):
    Post.objects.create(title="other", body="B")
    chosen = Post.objects.create(title="chosen", body="B")
    data = {"action": "sync_now", "_selected_action": [chosen.pk]}
    answer = sign_in(*LOOK, "syncer.sync_target").post(reverse(LIST), data)
    run = Run.objects.get()
    assert answer["Location"] == reverse("admin:syncer_run_change", args=[run.pk])
    assert str(run.user) == "editor"
    work(run)
    assert [record["title"] for record in remote.records("/posts").values()] == ["chosen"]


def test_chosen_objects_of_several_targets_lead_to_the_list_of_their_runs(target):
    second(target)
    sync(target)
    post = Post.objects.create(title="A", body="B")
    data = {"action": "sync_now", "_selected_action": [post.pk]}
    page = administrator().post(reverse(LIST), data, follow=True)
    assert sorted(str(run.target) for run in page.context["cl"].result_list) == ["Fake API", "second"]


def test_chosen_objects_without_a_target_are_reported(target):
    post = Post.objects.create(title="A", body="B")
    Target.objects.update(enabled=False)
    data = {"action": "sync_now", "_selected_action": [post.pk]}
    page = administrator().post(reverse(LIST), data, follow=True).content.decode()
    assert "Posts travel to no target, or all of them are paused." in page
    assert not Run.objects.exists()


def test_the_forms_button_syncs_its_object(target):
    post = Post.objects.create(title="A", body="B")
    url = reverse("admin:news_post_sync", args=[post.pk])
    client = sign_in(*LOOK, "syncer.sync_target")
    assert url in client.get(change(post)).content.decode()
    client.post(url)
    assert Run.objects.get().scope == {"news.Post": [str(post.pk)]}
    assert client.get(url).status_code == 405


@pytest.mark.parametrize("permissions", [LOOK, ("syncer.sync_target",)])
def test_syncing_an_object_needs_both_permissions(target, permissions):
    post = Post.objects.create(title="A", body="B")
    client = sign_in(*permissions)
    assert client.post(reverse("admin:news_post_sync", args=[post.pk])).status_code == 403
    client.post(reverse(LIST), {"action": "sync_now", "_selected_action": [post.pk]})
    assert not Run.objects.exists()


@pytest.mark.parametrize(("permissions", "status"), [((*LOOK, "syncer.sync_target"), 404), (LOOK, 403)])
@pytest.mark.parametrize("key", ["abc", "77", "9" * 23, "9" * 5000])
def test_an_object_that_does_not_exist_cannot_be_synced(permissions, status, key):
    assert sign_in(*permissions).post(f"/admin/news/post/{key}/sync/").status_code == status


def test_without_the_permission_to_sync_there_is_no_button(target):
    post = Post.objects.create(title="A", body="B")
    client = sign_in(*LOOK)
    for url in (reverse(LIST), change(post)):
        page = client.get(url).content.decode()
        assert ">pending</span>" in page
        assert "Sync now" not in page
