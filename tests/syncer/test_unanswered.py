"""A changed route whose creates are unanswered: the form and the command say how those are looked for."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from content.news.models import Post
from syncer.models import Binding, Route
from syncer.reports.unanswered import unanswered
from tests.content.pages import administrator, form_of, with_rows
from tests.remote import Fault
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)
SENTENCE = "2 creates of this route are unanswered; they are looked for as they were sent: at /posts by userId, title."


@pytest.fixture
def route(target, remote):
    """A route of two posts whose creates were not answered."""
    for title in ("A", "B"):
        Post.objects.create(title=title, body="B")
    remote.fault(Fault.RESET, method="POST", act=True, times=2)
    sync(target)
    assert Binding.objects.filter(create_body__isnull=False).count() == 2
    return target.routes.get(model="news.Post")


@pytest.mark.parametrize("column", ["path", "lookup", "fields", "id_field", "own_id", "item_path"])
def test_each_column_by_which_records_are_found_is_worth_the_sentence(route, column):
    assert unanswered(route, [column, "trigger"]) == SENTENCE
    assert unanswered(route, ["trigger"]) == ""


def test_what_a_person_decides_or_was_answered_is_not_counted(route):
    first, second = Binding.objects.filter(create_body__isnull=False)
    Binding.objects.filter(pk=first.pk).update(in_doubt=True)
    assert unanswered(route, ["path"]).startswith("1 create of this route is unanswered; it is looked for as it was")
    Binding.objects.filter(pk=second.pk).update(create_body=None)
    assert unanswered(route, ["path"]) == ""


@pytest.mark.parametrize(
    ("terms", "where"),
    [
        ({"path": "/old", "lookup": ["name"], "fields": {}}, "at /old by name."),
        ({"path": "/old", "lookup": [], "fields": {}, "own_id": "5"}, "at /old by the id that we gave it."),
        ({"path": "/old", "lookup": [], "fields": {}}, "at /old by userId, title."),
        (None, "at /posts by userId, title."),
    ],
)
def test_it_names_the_terms_under_which_they_were_sent(route, terms, where):
    Binding.objects.update(create_as=terms)
    assert unanswered(route, ["path"]).endswith(where)


def test_without_a_lookup_a_person_looks(route):
    Binding.objects.update(create_as=None)
    route.lookup = []
    assert unanswered(route, ["lookup"]).endswith("at /posts, by a person, for there is no lookup.")


def test_saving_the_form_says_so_once(route):
    client, address = administrator(), reverse("admin:syncer_route_change", args=[route.pk])
    form = form_of(client.get(address), "route_form")
    changed = with_rows(form, lookup=["title"])
    page = client.post(address, changed, follow=True).content.decode()
    assert Route.objects.get(pk=route.pk).lookup == ["title"]
    assert SENTENCE in page
    page = client.post(address, form_of(client.get(address), "route_form"), follow=True).content.decode()
    assert "unanswered" not in page


def test_a_file_that_changes_the_route_says_so(route, target, tmp_path):
    file = tmp_path / "sync.toml"
    file.write_text(
        f"""
        [targets.fakeapi]
        title = "Fake API"
        url = "{target.url}"
        timeout = 5
        [[targets.fakeapi.routes]]
        model = "news.Post"
        path = "/posts"
        fields = {{userId = "user_id", title = "title", body = "body"}}
        lookup = ["title"]
        existing = "create"
        """
    )
    out = StringIO()
    call_command("sync_configure", str(file), "--check", stdout=out)
    assert f"fakeapi news.Post: {SENTENCE}" in out.getvalue()
