"""Who changed what when: the page of recent changes, and the column and filters of lists."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.kit.context import Cause, caused_by
from content.base.changes import reading
from content.base.changes.reading import Wanted
from content.base.changes.times import first_id
from content.news.models import Comment, Post
from content.palettes.models import Palette, Team
from syncer.models import Target
from tests.content.pages import administrator, browser, person, sign_in
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture

pytestmark = pytest.mark.django_db(transaction=True)
target = target_fixture

CHANGES, LIST = reverse("admin:content_changes"), reverse("admin:news_post_changelist")


def posts(*titles: str) -> list[Post]:
    return [Post.objects.create(title=title, body="Body") for title in titles]


def written(user, **changes: str) -> Post:
    """A post, changed by an account."""
    post = posts("Old")[0]
    with caused_by(Cause(user=lambda: user)):
        Post.objects.filter(pk=post.pk).update(**changes)
    return post


def aged(model, days: int, **which: object) -> None:
    """Make rows of a history so many days older."""
    for row in model.history.filter(**which):
        model.history.filter(pk=row.pk).update(history_date=row.history_date - timedelta(days=days))


def titles(page) -> list[str]:
    return [change.title for change in page.context["changes"]]


# --- the page --------------------------------------------------------------------------------------------------------
def test_the_page_tells_what_was_changed_by_whom_and_whether_the_target_has_it(target: Target):
    post = written(person("editor"), title="New")
    page = administrator().get(CHANGES).content.decode()
    for text in ("by", "editor", "Changed: Title", "<del>Old</del>", "<ins>New</ins>", ">pending</span>"):
        assert text in page
    sync(target)
    assert ">in sync</span>" in administrator().get(CHANGES).content.decode()
    post.delete()
    assert titles(administrator().get(CHANGES, {"kind": "-"})) == ["New"]


def test_the_words_of_its_states_are_explained(target: Target):
    assert "What the words mean" not in administrator().get(CHANGES).content.decode()
    Post.objects.create(title="New", body="B")
    assert "What the words mean" in administrator().get(CHANGES).content.decode()


@pytest.mark.parametrize(("word", "number"), [("today", 1), ("yesterday", 2), ("week", 3)])
def test_a_word_for_a_day_is_as_good_as_its_date_and_its_link_is_marked(word, number):
    for age in (0, 1, 6, 8):
        aged(Post, age, title=Post.objects.create(title=f"Of {age} days", body="B").title)
    page = administrator().get(CHANGES, {"since": word, "model": "news.Post"})
    assert len(titles(page)) == number
    assert [is_current for _, _, is_current in page.context["shortcuts"]] == [number == n for n in (1, 2, 3)]
    assert page.content.decode().count('aria-current="true"') == 1


def test_changes_of_all_content_are_merged_by_time():
    first, second = posts("A", "B")
    Comment.objects.create(post=first, name="C", email="reader@example.org", body="B")
    Post.objects.filter(pk=second.pk).update(title="D")
    for days, (model, changed) in enumerate(
        [(Comment, {"name": "C"}), (Post, {"title": "B"}), (Post, {"title": "A"})], 1
    ):
        aged(model, days, **changed)  # SQLite's clock has milliseconds, in which two may be made
    page = administrator().get(CHANGES)
    found = [title for title in titles(page) if title in "ABCD"]
    assert found == ["D", "C", "B", "A"]


def test_every_change_is_on_exactly_one_page(monkeypatch):
    monkeypatch.setattr(reading, "PER_PAGE", 7)
    for number, post in enumerate(posts(*(f"T{number}" for number in range(12)))):
        Comment.objects.create(post=post, name=f"C{number}", email="reader@example.org", body="B")
    client, seen, address = administrator(), list[str](), CHANGES
    while address:
        page = client.get(address)
        seen += titles(page)
        address = CHANGES + page.context["next"] if page.context["next"] else ""
    for kind in "CT":
        found = [title for title in seen if title[0] == kind and title[1:].isdecimal()]
        assert found == [f"{kind}{number}" for number in reversed(range(12))]


def test_the_filters_find_a_person_a_day_a_model_and_a_kind():
    editor = person("editor")
    posts("Another")
    aged(Post, 3, title="Another")
    written(editor, title="Mine")
    client, today = administrator(), timezone.localdate().isoformat()
    assert titles(client.get(CHANGES, {"by": "editor"})) == ["Mine"]
    assert titles(client.get(CHANGES, {"model": "news.Post", "since": today})) == ["Mine", "Old"]
    earlier = (timezone.localdate() - timedelta(days=1)).isoformat()
    assert titles(client.get(CHANGES, {"model": "news.Post", "until": earlier})) == ["Another"]
    assert titles(client.get(CHANGES, {"kind": "~", "model": "news.Post"})) == ["Mine"]


def test_a_person_who_may_not_view_a_model_sees_none_of_its_changes():
    posts("Secret")
    page = sign_in("news.view_comment").get(CHANGES)
    assert "Secret" not in titles(page)
    assert "news.Post" not in page.content.decode()


def test_what_others_own_is_not_shown():
    owner, stranger = person("owner"), person("stranger", "palettes.view_palette")
    Palette.objects.create(team=Team.objects.get(memberships__user=owner), name="Secret", colors=[])
    assert "Secret" not in browser(stranger).get(CHANGES).content.decode()


def test_what_others_own_leaves_no_page_empty(monkeypatch):
    monkeypatch.setattr(reading, "PER_PAGE", 3)
    owner, editor = person("owner"), person("editor", "palettes.view_palette", "news.view_post")
    posts("Old", "Older")
    team = Team.objects.get(memberships__user=owner)
    for number in range(12):
        Palette.objects.create(team=team, name=f"Secret {number}", colors=[])
    page = browser(editor).get(CHANGES, {"since": "yesterday"})
    assert {"Old", "Older"} < set(titles(page))
    monkeypatch.setattr(reading, "MOST_READ", 2)
    page = browser(editor).get(CHANGES)
    assert "No such change" not in page.content.decode()
    assert page.context["next"]


@pytest.mark.parametrize(
    "query", ["since=2026-02-30", "since=x", "until=\0", "after=x", "after=news.Post:²", "by=\0", "model=x", "kind=x"]
)
def test_an_address_that_nobody_would_write_shows_the_page(query):
    posts("A")
    assert administrator().get(f"{CHANGES}?{query}").status_code == 200


def test_the_page_costs_the_same_for_many(target):
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(CHANGES, {"model": "news.Post"})
        return len(found)

    client = administrator()
    written(person("editor"), title="New")
    queries()
    few = queries()
    for number in range(60):
        written(None, title=f"T{number}")
    assert queries() == few


def test_where_a_person_is_looked_for_only_the_newest_changes_are_read(monkeypatch):
    monkeypatch.setattr(reading, "LOOKED_THROUGH", 3)
    editor = person("editor")
    written(editor, title="Mine")
    posts("A", "B", "C")
    page = administrator().get(CHANGES, {"by": "editor"})
    assert titles(page) == []
    assert "Give a day to find older ones." in page.content.decode()
    assert titles(administrator().get(CHANGES, {"by": "editor", "since": timezone.localdate().isoformat()})) == ["Mine"]


@pytest.mark.parametrize("missing", [False, True])
def test_the_place_of_a_time_in_the_history_is_found_by_the_key(missing):
    made = posts(*(f"T{number}" for number in range(40)))
    for number, post in enumerate(made):
        aged(Post, 40 - number, id=post.pk)
    if missing:
        Post.history.filter(title__in=[f"T{number}" for number in range(5, 25)]).delete()
    for number in (0, 10, 39):
        moment = timezone.now() - timedelta(days=40 - number)
        rows = Wanted(models=[Post], since=moment).rows(Post)
        expected = Post.history.filter(history_date__gte=moment)
        assert set(rows.values_list("pk")) == set(expected.values_list("pk"))
        older = Post.history.filter(history_date__lt=moment - timedelta(hours=1)).count()
        assert Post.history.filter(pk__lt=first_id(Post, moment)).count() == older


# --- the list --------------------------------------------------------------------------------------------------------
def test_the_list_says_when_and_by_whom_each_was_changed_last():
    written(person("editor"), title="New")
    page = administrator().get(LIST).content.decode()
    assert re.search(r'<time [^>]+>\d{4}-\d\d-\d\d \d\d:\d\d</time> <span class="sync-soft">editor<', page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"changed": "today"}, ["Mine"]),
        ({"changed": "yesterday"}, ["Mine", "Yesterday"]),
        ({"changed": "week"}, ["Mine", "Yesterday"]),
        ({"changed_by": "editor"}, ["Mine", "Old by editor"]),
        ({"changed": "today", "changed_by": "editor"}, ["Mine"]),
        ({"changed": "x"}, ["Mine", "Old", "Old by editor", "Yesterday"]),
        ({"changed_by": "\0"}, ["Mine", "Old", "Old by editor", "Yesterday"]),
    ],
)
def test_the_list_is_filtered_by_when_and_by_whom(query, found):
    editor = person("editor")
    posts("Old")
    written(editor, title="Old by editor")
    posts("Yesterday")
    written(editor, title="Mine")
    aged(Post, 1, title="Yesterday")
    aged(Post, 30, title__in=["Old by editor"])
    old = Post.history.order_by("history_id")[:2]  # the post "Old", and what the editor changed
    aged(Post, 30, history_id__in=[row.pk for row in old])
    page = administrator().get(LIST, query)
    assert sorted(post.title for post in page.context["cl"].result_list) == found


def test_a_change_of_today_by_another_does_not_count_as_theirs():
    editor = person("editor")
    post = written(editor, title="Mine")
    aged(Post, 30, title="Mine")
    Post.objects.filter(pk=post.pk).update(title="By the program")
    page = administrator().get(LIST, {"changed": "today", "changed_by": "editor"})
    assert list(page.context["cl"].result_list) == []
