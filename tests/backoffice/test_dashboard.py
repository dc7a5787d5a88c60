"""The admin's index: each target with what waits for it and its buttons."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from content.news.models import Post
from syncer.models import Target
from tests.content.pages import administrator, sign_in
from tests.remote import Fault, Remote
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture

pytestmark = pytest.mark.django_db(transaction=True)
target = target_fixture

VIEW = ("syncer.view_target", "syncer.view_run", "syncer.view_binding")
SYNC_FORM = "/sync/"


def index(client: Client) -> str:
    return client.get(reverse("admin:index")).content.decode()


def test_the_root_leads_to_the_admin():
    answer = administrator().get("/")
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


def test_without_a_target_one_sentence_says_how_to_make_one():
    page = index(administrator())
    assert "Nothing is synced yet" in page
    assert reverse("admin:syncer_target_add") in page


def test_the_index_shows_what_is_pending_before_anything_was_planned(target):
    Post.objects.create(title="A", body="B")
    Post.objects.create(title="C", body="D")
    page = index(administrator())
    assert "Fake API" in page
    assert "REST service" in page
    assert "<b>2</b> pending" in page
    assert reverse("admin:syncer_target_preview", args=[target.pk]) in page
    assert "No run yet." in page


def test_the_index_shows_the_last_run_in_its_sentence(target):
    Post.objects.create(title="A", body="B")
    run = sync(target)
    page = index(administrator())
    assert "1 created." in page
    assert reverse("admin:syncer_run_change", args=[run.pk]) in page
    assert "<b>0</b> pending" in page
    assert "<b>1</b> there" in page


def test_rejected_objects_are_counted_and_linked(remote: Remote, target: Target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    Post.objects.create(title="A", body="B")
    sync(target)
    client = administrator()
    page = index(client)
    assert "<b>1</b> rejected" in page
    link = f"{reverse('admin:syncer_binding_changelist')}?route__target__id__exact={target.pk}&state=rejected"
    assert link.replace("&", "&amp;") in page
    assert len(client.get(link).context["cl"].result_list) == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"blocked": "answered 401 Unauthorized"}, "answered 401 Unauthorized"),
        ({"enabled": False}, "nothing is sent, changes are kept"),
        ({"not_before": timezone.now() + timedelta(hours=1)}, "The target asked us to wait until"),
    ],
)
def test_a_target_that_sends_nothing_says_why(target, changes, text):
    Target.objects.update(**changes)
    assert text in index(sign_in(*VIEW))


def test_a_mark_of_another_database_is_reported_and_breaks_no_page(target):
    Post.objects.create(title="A", body="B")
    sync(target)
    target.routes.filter(model="news.Post").update(mark="elsewhere/1:2:")
    client = administrator()
    assert "sync_recover" in index(client)
    for page in ("admin:syncer_target_changelist", "admin:news_post_changelist", "admin:syncer_binding_changelist"):
        assert client.get(reverse(page)).status_code == 200
    for page in ("change", "preview"):
        assert client.get(reverse(f"admin:syncer_target_{page}", args=[target.pk])).status_code == 200


def test_a_person_who_may_only_look_sees_no_button(target):
    page = index(sign_in(*VIEW))
    assert "Fake API" in page
    assert SYNC_FORM not in page
    assert page.count("disabled>") == 2


def test_a_person_without_a_permission_sees_no_target(target):
    page = index(sign_in("news.view_post"))
    assert "Fake API" not in page
    assert "Nothing is synced yet" not in page


def test_the_button_on_the_index_starts_a_run(target):
    client = sign_in("syncer.sync_target")
    url = reverse("admin:syncer_target_sync", args=[target.pk])
    assert url in index(client)
    assert client.post(url, follow=True).status_code == 200
    assert "Waiting for a worker" in index(client)


def test_each_word_on_the_index_has_its_meaning(target):
    page = index(administrator())
    for word in ("pending", "retrying", "rejected", "in doubt", "manual", "change"):
        assert f"<dt>{word}</dt><dd>" in page
        assert f"<dt>{word}</dt><dd></dd>" not in page
