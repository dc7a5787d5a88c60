"""Imports of many rows: what they cost, what only the database judges of them, and what others write meanwhile."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tablib import Dataset

from backoffice.kit.jobs.service import LOGGED
from content.base.files import CSV
from content.base.imports import report, rows, writing
from content.base.imports.result import ContentResult
from content.base.imports.staging import Stage
from content.base.models import ContentQuerySet
from content.messaging.models import Bot
from content.messaging.resources import BotResource
from content.news.models import Comment, Post
from content.news.resources import CommentResource, PostResource
from content.orders.models import Order
from content.orders.resources import OrderResource
from content.palettes.models import Membership, Palette, Team
from content.palettes.resources import MembershipResource, PaletteResource, TeamResource
from content.tasks.models import Item
from content.tasks.resources import ItemResource
from tests.content.files import preview, table
from tests.content.locks import SECONDS, closing
from tests.content.pages import administrator, person
from tests.content.palettes.people import members, palette, team_of

pytestmark = [pytest.mark.law, pytest.mark.django_db]


def load(resource: Any, headers: str, *records: list[Any], user: Any = None, **options: Any) -> ContentResult:
    result: ContentResult = resource(user=user).import_data(Dataset(*records, headers=headers.split()), **options)
    return result


def posts(count: int) -> list[Post]:
    return Post.objects.bulk_create([Post(title=f"T{number}", body="B") for number in range(count)])


# --- the cost --------------------------------------------------------------------------------------------------------
def statements(count: int) -> int:
    """How many statements an import makes that adds so many comments, changes so many, and leaves so many."""
    (post,) = posts(1)
    stored = Comment.objects.bulk_create(
        [Comment(post=post, name="N", email="reader@example.com", body="B") for _ in range(2 * count)]
    )
    kept, changed = ([[comment.pk, post.pk, "N", "B"] for comment in part] for part in (stored[:count], stored[count:]))
    added = [["", post.pk, "New", "B", "reader@example.com"]] * count
    user = person(f"editor of {count}", "news.add_comment", "news.change_comment")
    records = [
        *([*row, "reader@example.com"] for row in kept),
        *([*row, "other@example.com"] for row in changed),
        *added,
    ]
    with CaptureQueriesContext(connection) as captured:
        result = load(CommentResource, "id post name body email", *records, user=user)
    assert {result.totals[kind] for kind in ("new", "update", "skip")} == {count}
    return len(captured)


def test_a_row_costs_no_statement_of_its_own(monkeypatch):
    monkeypatch.setattr(rows, "PAGE", 60)
    few, many = statements(40), statements(400)
    pages = (1200 - 120) // 60
    assert (many - few) / pages <= 5  # the objects, the posts of new rows, and the insert in its savepoint


def test_thousands_of_rows_are_written_by_one_statement(monkeypatch):
    monkeypatch.setattr(writing, "WRITTEN", 100)
    with CaptureQueriesContext(connection) as captured:
        load(PostResource, "title body", *(["T", "B"] for _ in range(250)))
    added = [query["sql"] for query in captured if f'INSERT INTO "{Post._meta.db_table}"' in query["sql"]]
    assert len(added) <= 2 * 3  # with and without a key, for each page of WRITTEN rows
    assert Post.objects.count() == Post.history.count() == 250


def test_rows_get_their_keys_in_the_order_of_the_file(monkeypatch):
    monkeypatch.setattr(writing, "WRITTEN", 7)
    titles = [f"T{number}" for number in range(20)]
    load(PostResource, "title body", *([title, "B"] for title in titles))
    assert list(Post.objects.order_by("pk").values_list("title", flat=True)) == titles


def peak(tmp_path: Any, count: int) -> int:
    """The most memory that an import of so many rows takes, in bytes."""
    file = tmp_path / "rows.csv"
    file.write_text(table(["title", "body"], *([f"T{number}", "B" * 100] for number in range(count))))
    tracemalloc.start()
    try:
        result = PostResource().import_data(CSV().create_dataset(file))
        assert result.totals["new"] == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path):
    peak(tmp_path, 10)  # what is loaded and cached once
    assert peak(tmp_path, 8_000) <= 1.2 * peak(tmp_path, 2_000)


# --- what the database judges ----------------------------------------------------------------------------------------
@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(rows, "PAGE", 1)


@pytest.mark.usefixtures("small_pages")
def test_a_key_that_is_in_another_page_already_is_refused():
    (post,) = posts(1)
    result = load(PostResource, "id title", [post.pk, "A"], [post.pk, " "], [post.pk, "C"])
    message = f"the id {post.pk} is in row 1 already."
    assert result.problems() == [(2, "id", message), (3, "id", message)]
    assert result.wrong_count == 2


def test_a_program_is_told_of_a_parent_that_is_not_there():
    found = load(CommentResource, "post name email body", [77, "N", "reader@example.com", "B"]).problems()
    assert found == [(1, "post", "post instance with id 77 is not a valid choice.")]


def test_a_check_constraint_names_its_rows(monkeypatch):
    for name in ("validators", "_validators"):
        monkeypatch.setitem(vars(Order._meta.get_field("quantity")), name, [])
    result = load(OrderResource, "product_name quantity", ["Paint", 1], ["Paint", 0], ["Brush", 0])
    message = f"quantity must be a whole number from 1 to {2**31 - 1}."
    assert result.problems() == [(2, "", message), (3, "", message)]
    assert not Order.objects.exists()


def test_a_check_constraint_says_nothing_of_a_field_that_is_wrong_anyway():
    found = load(ItemResource, "title external_id", ["T", "a b"], ["T", "ok"], ["x" * 300, "a b"]).problems()
    assert [(row, column) for row, column, _ in found] == [(1, "external_id"), (3, "external_id"), (3, "title")]
    assert not Item.objects.exists()


def test_a_new_object_with_the_key_of_one_that_is_hidden_is_refused(monkeypatch):
    bot = Bot.objects.create(pk="00000000-0000-4000-8000-000000000001", name="Old")
    monkeypatch.setattr(ContentQuerySet, "visible_to", lambda self, user: self.none())
    found = load(BotResource, "id name", [str(bot.pk), "New"]).problems()
    assert found == [(1, "id", "Bot with this Id already exists.")]


def test_all_that_is_wrong_with_a_row_is_said_at_once():
    Team.objects.create(name="A")
    team = team_of(name="Brand")
    Palette.objects.create(team=team, name="Spring", colors=[])
    found = load(PaletteResource, "team name colors", [team.pk, "Spring", "no color"]).problems()
    assert [(row, column) for row, column, _ in found] == [(1, "colors"), (1, "name")]


def test_new_memberships_are_judged_by_rows_before_them_and_by_stored_ones():
    """Nothing in a membership can hold a placeholder."""
    first, second = person("first"), person("second")
    team = team_of(first)
    found = load(MembershipResource, "team user", [team.pk, "first"], [team.pk, "second"], [team.pk, "second"])
    message = "This user is a member already."
    assert found.problems() == [(1, "", message), (3, "", message)]
    assert load(MembershipResource, "team user", [team.pk, "second"]).totals["new"] == 1
    assert members(team) == {"first", "second"}
    assert Membership.objects.filter(user=second, team=team).exists()


def test_whoever_adds_teams_is_their_first_member():
    user = person("member", "palettes.add_team")
    load(TeamResource, "name", ["A"], ["B"], user=user)
    assert [members(team) for team in Team.objects.filter(name__in="AB")] == [{"member"}] * 2
    assert {row.history_user_name for row in Membership.history.filter(user_id=user.pk, team__name__in="AB")} == {
        "member"
    }


@pytest.mark.postgres
def test_a_value_that_the_database_cannot_hold_names_its_row(monkeypatch):
    for name in ("validators", "_validators"):
        monkeypatch.setitem(vars(Post._meta.get_field("title")), name, [])
    result = load(PostResource, "title body", ["A", "B"], ["a\0b", "B"], ["C", "B"])
    assert [(row, "NUL" in message) for row, _, message in result.problems()] == [(2, True)]
    assert not Post.objects.exists()


def test_of_many_wrong_rows_the_first_are_named_and_all_counted(monkeypatch):
    monkeypatch.setattr(report, "SHOWN", 3)
    page = preview(administrator(), Post, table(["title", "body"], *(["T", ""] for _ in range(8))))
    assert [row for row, *_ in page.context["report"].problems] == [2, 3, 4]
    assert page.context["record"].counts["wrong"] == page.context["record"].failed == 8
    assert not page.context["may_confirm"]


def test_an_error_in_the_program_names_its_row_and_is_logged(monkeypatch, caplog):
    def fail(post: Post) -> None:
        if post.title == "B":
            raise RuntimeError("a bug")

    monkeypatch.setattr(Post, "clean", fail)
    result = load(PostResource, "title body", ["A", "B"], ["B", "B"], ["C", ""])
    assert [(row, column) for row, column, _ in result.problems()] == [(2, ""), (3, "body")]
    assert result.problems()[0][2] == LOGGED
    assert "a bug" in caplog.text
    assert not Post.objects.exists()


def test_the_table_of_an_import_that_failed_is_not_in_the_way(monkeypatch):
    def fail(_: Stage) -> None:
        raise RuntimeError

    with monkeypatch.context() as context:
        context.setattr(Stage, "complete", fail)
        with pytest.raises(RuntimeError):
            load(PostResource, "title body", ["T", "B"])
    assert load(PostResource, "title body", ["T", "B"]).totals["new"] == 1


# --- other writers ---------------------------------------------------------------------------------------------------
@pytest.fixture
def meanwhile(monkeypatch):
    """Have somebody write, with a connection of their own, when an import has read its rows for the first time."""
    complete = Stage.complete

    def arrange(write: Any) -> None:
        writes = [write]

        def complete_then_write(stage: Stage) -> None:
            complete(stage)
            if writes:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(closing, writes.pop()).result(SECONDS)

        monkeypatch.setattr(Stage, "complete", complete_then_write)

    return arrange


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("dry_run", [True, False])
def test_others_write_while_the_rows_are_read(meanwhile, dry_run):
    post, other = posts(2)
    meanwhile(lambda: Post.objects.filter(pk=other.pk).update(title="Theirs"))
    load(PostResource, "id title", [post.pk, "Ours"], dry_run=dry_run)
    assert list(Post.objects.order_by("pk").values_list("title", flat=True)) == ["T0" if dry_run else "Ours", "Theirs"]


@pytest.mark.django_db(transaction=True)
def test_another_field_that_somebody_changes_meanwhile_is_kept(meanwhile):
    (post,) = posts(1)
    meanwhile(lambda: Post.objects.filter(pk=post.pk).update(body="Theirs"))
    assert load(PostResource, "id title", [post.pk, "Ours"]).totals["update"] == 1
    assert Post.objects.values_list("title", "body").get() == ("Ours", "Theirs")
    assert Post.history.count() == 3


@pytest.mark.django_db(transaction=True)
def test_what_somebody_changes_meanwhile_is_judged_again(meanwhile):
    """Who may not reopen orders does not set one back that was delivered after the file was read."""
    user = person("clerk", "orders.change_order")
    order = Order.objects.create(product_name="Paint", quantity=1)
    meanwhile(lambda: Order.objects.filter(pk=order.pk).update(status="DELIVERED"))
    found = load(OrderResource, "id status", [str(order.pk), "SHIPPED"], user=user).problems()
    assert [(row, column) for row, column, _ in found] == [(1, "status")]
    assert Order.objects.get().status == "DELIVERED"


@pytest.mark.django_db(transaction=True)
def test_an_unchanged_row_that_somebody_changes_meanwhile_is_a_change(meanwhile):
    (post,) = posts(1)
    meanwhile(lambda: Post.objects.filter(pk=post.pk).update(title="Theirs"))
    assert load(PostResource, "id title", [post.pk, "T0"]).totals["update"] == 1
    assert Post.objects.get().title == "T0"


@pytest.mark.django_db(transaction=True)
def test_an_object_that_somebody_deletes_meanwhile_is_missed(meanwhile):
    (post,) = posts(1)
    meanwhile(lambda: Post.objects.filter(pk=post.pk).delete())
    assert "There is no post" in load(PostResource, "id title", [post.pk, "Ours"]).problems()[0][2]


@pytest.mark.django_db(transaction=True)
def test_a_name_that_somebody_takes_meanwhile_is_refused(meanwhile):
    meanwhile(lambda: Team.objects.create(name="A"))
    assert load(TeamResource, "name", ["a"]).problems()[0][1] == "name"


@pytest.mark.django_db(transaction=True)
def test_a_swap_is_kept_whole_although_somebody_renames_meanwhile(meanwhile):
    team = team_of(name="Brand")
    spring, autumn = palette(team, "Spring"), palette(team, "Autumn")
    meanwhile(lambda: Palette.objects.filter(pk=autumn.pk).update(name="Winter"))
    assert load(PaletteResource, "id name", [spring.pk, "Autumn"], [autumn.pk, "Spring"]).totals["update"] == 2
    assert list(Palette.objects.order_by("pk").values_list("name", flat=True)) == ["Autumn", "Spring"]
