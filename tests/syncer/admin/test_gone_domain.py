"""A route whose domain is not installed any more stops its target, and each page says so with the cure."""

import pytest
from django.urls import reverse

from content.news.models import Post
from syncer.models import Binding, Route, Run
from tests.backoffice.accounts.people import account
from tests.content.pages import browser
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)
CURE = "carries gone.Thing, which is not installed here; delete that route"


@pytest.fixture
def gone(target) -> Route:
    """A route of a target that has synced, whose model's domain was taken out since."""
    Post.objects.create(title="A", body="B")
    sync(target)
    Route.objects.filter(model="news.Post").update(model="gone.Thing")
    return Route.objects.get(model="gone.Thing")


def test_every_page_says_what_is_wrong_or_works(gone):
    client = browser(account("operator", is_superuser=True))
    target, binding, run = gone.target_id, Binding.objects.get().pk, Run.objects.get().pk
    lists = ("target", "route", "binding", "run", "attempt", "replica", "alert")
    pages = [
        reverse("admin:index"),
        *(reverse(f"admin:syncer_{name}_changelist") for name in lists),
        *(reverse(f"admin:syncer_target_{page}", args=[target]) for page in ("change", "preview", "deletes", "try")),
        reverse("admin:syncer_route_change", args=[gone.pk]),
        reverse("admin:syncer_route_delete", args=[gone.pk]),
        reverse("admin:syncer_binding_change", args=[binding]),
        reverse("admin:syncer_run_change", args=[run]),
    ]
    answers = {page: client.get(page) for page in pages}
    assert {page: answer.status_code for page, answer in answers.items() if answer.status_code != 200} == {}
    for page in (reverse("admin:index"), reverse("admin:syncer_target_change", args=[target])):
        assert CURE in answers[page].content.decode()
