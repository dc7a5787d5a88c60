"""The sync's pages are whole in each language: of what the program says, nothing is left in English."""

import html
import re

import pytest
from django.urls import reverse

from content.news.models import Post
from syncer.models import Alert, Binding, Route, Run, Target
from tests.backoffice.accounts.people import account, browser
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import worker_alive

pytestmark = pytest.mark.django_db(transaction=True)

# What is stored as it was said, in English: how runs ended, and what targets answered.
STORED = re.compile(r"fakeapi|Fake API|changes? (is|are) kept|answered \d+|Post \d+|127\.0\.0\.1")


def sentences(page: str) -> set[str]:
    """Return what a page shows of three words or more, text and tooltips."""
    body = re.sub(r"<(script|style|svg|code|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    found = [*re.split(r"<[^>]*>", body), *re.findall(r'(?:title|aria-label|placeholder|data-label)="([^"]*)"', body)]
    texts = {" ".join(html.unescape(text).split()) for text in found}
    return {text for text in texts if len(re.findall(r"[A-Za-z]{2,}", text)) > 2 and not STORED.search(text)}


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
    lists = [f"{name}_changelist" for name in ("target", "route", "binding", "run", "attempt", "replica", "alert")]
    of_target = [f"target_{page}" for page in ("change", "preview", "deletes", "try")]
    return [
        reverse("admin:index"),
        *(reverse(f"admin:syncer_{page}") for page in (*lists, "target_add", "route_add")),
        *(reverse(f"admin:syncer_{page}", args=[target.pk]) for page in of_target),
        *(reverse("admin:syncer_route_change", args=[route.pk]) for route in Route.objects.all()[:1]),
        *(reverse("admin:syncer_binding_change", args=[binding.pk]) for binding in bindings[:3]),
        *(reverse("admin:syncer_run_change", args=[run.pk]) for run in Run.objects.all()[:2]),
        reverse("admin:news_post_change", args=[posts[0].pk]),
        reverse("admin:news_post_history", args=[posts[0].pk]),
    ]


@pytest.mark.parametrize("language", ["de", "fr"])
def test_no_sentence_of_a_page_is_left_in_english(pages, language):
    english = browser(account("english", is_superuser=True))
    other = browser(account("other", is_superuser=True, language=language))
    left = {}
    for page in pages:
        texts = [client.get(page) for client in (english, other)]
        assert {answer.status_code for answer in texts} == {200}
        left[page] = set.intersection(*(sentences(answer.content.decode()) for answer in texts))
    assert {page: texts for page, texts in left.items() if texts} == {}


def test_an_alert_keeps_its_color_and_its_meaning_in_another_language(target):
    Alert.objects.create(
        target=target, kind=Alert.Kind.UNHEALTHY, at="2026-11-30T10:00:00Z", not_before="2026-11-30T10:00:00Z"
    )
    client = browser(account("other", is_superuser=True, language="de"))
    page = client.get(reverse("admin:syncer_alert_changelist")).content.decode()
    assert 'class="sync-chip sync-unhealthy" title="Das Ziel war gesperrt oder nicht erreichbar' in page
