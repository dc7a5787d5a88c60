"""The sync's pages are whole in each language: of what the program says, nothing is left in English."""

import pytest
from django.urls import reverse
from django.utils import timezone

from content.news.models import Post
from syncer.models import Alert, Binding, Route, Run, Target
from tests.backoffice.accounts.people import account
from tests.content.pages import browser
from tests.languages import LANGUAGES, left_in_english
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import worker_alive
from tools.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pages(target: Target, remote) -> list[str]:
    """The addresses of pages about a target with objects in several states."""
    worker_alive()
    posts = Post.objects.bulk_create(Post(title=f"Post {n}", body="B", user_id=n) for n in range(1, 9))
    sync(target)
    Post.objects.filter(pk=posts[0].pk).update(title="Post 100")
    remote.fault(Fault.STATUS, method="PUT", status=422, body={"title": "taken"}, times=None)
    sync(target)
    Route.objects.update(max_deletes=2)
    Post.objects.filter(user_id__gt=4).delete()
    sync(target)
    Post.objects.filter(pk=posts[1].pk).update(title="Post 101")
    bindings = Binding.objects.order_by("pk")
    Binding.objects.filter(pk=bindings[2].pk).update(on_hold=True, held_why="Post 3")
    remote.fault(Fault.STATUS, status=401, body={}, times=None)
    sync(target)  # blocked, with an alert
    lists = ("target", "route", "binding", "run", "attempt", "replica", "alert")
    return [
        reverse("admin:index"),
        *(reverse(f"admin:syncer_{name}_changelist") for name in lists),
        *(reverse(f"admin:syncer_{name}_add") for name in ("target", "route")),
        *(reverse(f"admin:syncer_target_{page}", args=[target.pk]) for page in ("change", "preview", "deletes", "try")),
        *(reverse("admin:syncer_route_change", args=[route.pk]) for route in Route.objects.all()[:1]),
        *(reverse("admin:syncer_binding_change", args=[binding.pk]) for binding in bindings[:3]),
        *(reverse("admin:syncer_run_change", args=[run.pk]) for run in Run.objects.all()[:2]),
        reverse("admin:news_post_change", args=[posts[0].pk]),
        reverse("admin:news_post_history", args=[posts[0].pk]),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_a_page_is_left_in_english(pages, language):
    assert left_in_english(pages, language) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_trial_and_its_findings_are_in_the_readers_language(target, remote, language):
    Post.objects.create(title="A", body="B")
    remote.store.create("posts", {"userId": 1, "title": "T", "body": "B"})
    target.routes.filter(model="news.Post").update(fields={"userId": "user_id", "titel": "title", "body": "body"})
    assert left_in_english([reverse("admin:syncer_target_try", args=[target.pk])], language, data={}) == {}


def test_an_alert_keeps_its_color_and_its_meaning_in_another_language(target):
    now = timezone.now()
    Alert.objects.create(target=target, kind=Alert.Kind.UNHEALTHY, at=now, not_before=now)
    client = browser(account("other", is_superuser=True, language="de"))
    page = client.get(reverse("admin:syncer_alert_changelist")).content.decode()
    assert 'class="sync-chip sync-unhealthy" title="Das Ziel war gesperrt oder nicht erreichbar' in page


def test_why_nobody_answered_is_in_the_readers_language_on_the_page_and_in_the_file(target):
    Post.objects.create(title="A", body="B")
    Target.objects.filter(pk=target.pk).update(url=f"http://127.0.0.1:{free_port()}")  # nobody listens there
    run = sync(Target.objects.get(pk=target.pk))
    client = browser(account("other", is_superuser=True, language="de"))
    for name in ("change", "failures", "download"):
        answer = client.get(reverse(f"admin:syncer_run_{name}", args=[run.pk]))
        text = b"".join(answer if answer.streaming else [answer.content]).decode()
        assert "hat die Verbindung abgelehnt" in text, name
        assert "refused" not in text, name
    assert str(Run.objects.get(pk=run.pk).message).startswith("Fake API refused the connection; 1 change is kept, next")


def test_what_an_answer_quotes_is_left_out_for_who_may_not_read_it_in_their_language_too(target, remote):
    Post.objects.create(title="A", body="B")
    remote.fault(Fault.STATUS, method="POST", status=422, body={"title": "forgotten words"}, times=None)
    run = sync(target)
    outsider = browser(account("outsider", permissions=("syncer.sync_target",), language="de"))
    addresses = [
        reverse("admin:syncer_binding_changelist"),
        reverse("admin:syncer_binding_change", args=[Binding.objects.get().pk]),
        reverse("admin:syncer_run_change", args=[run.pk]),
        reverse("admin:syncer_run_changelist"),
        reverse("admin:syncer_target_changelist"),
    ]
    pages = [outsider.get(address).content.decode() for address in addresses]
    assert all("forgotten words" not in page for page in pages)
    assert all("hat mit 422 geantwortet" in page for page in pages[:2])
    reader = browser(account("reader", is_superuser=True, language="de"))
    assert "hat mit 422 geantwortet: title: forgotten words" in reader.get(addresses[0]).content.decode()


def test_what_a_list_that_failed_quotes_is_left_out_of_the_preview_in_their_language_too(target, remote):
    Post.objects.create(title="A", body="B")
    Route.objects.update(existing="adopt")
    remote.fault(Fault.STATUS, method="GET", status=500, body={"title": "forgotten words"}, times=None)
    address = reverse("admin:syncer_target_preview", args=[target.pk])
    outsider = browser(account("outsider", permissions=("syncer.sync_target",), language="de"))
    reader = browser(account("reader", is_superuser=True, language="de"))
    pages = [client.get(address).content.decode() for client in (outsider, reader)]
    assert ["forgotten words" in page for page in pages] == [False, True]
    assert all("hat mit 500 geantwortet" in page for page in pages)
