"""Law 5: whatever writes content, in whatever form, leaves one history row a change, with the person and the reason."""

import io
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from simple_history.utils import bulk_create_with_history

from backoffice.kit.context import Cause, because, cause, caused_by
from content.news.models import Comment, Post
from content.orders.models import Order
from content.tasks.models import Item
from tests.content.history.support import execute, in_another_program, kinds, newest

pytestmark = [pytest.mark.law, pytest.mark.django_db(transaction=True)]

COLUMNS = "(user_id, title, body)"
AGAIN = "news_post (id, user_id, title, body) VALUES ({pk}, 1, 'new', 'B')"
ON_CONFLICT = "(id, user_id, title, body) VALUES ({pk}, 1, 'new', 'B'), ({pk} + 1, 1, 'T', 'B') ON CONFLICT (id) DO "


@pytest.fixture
def editor(django_user_model):
    return django_user_model.objects.create_user("editor")


@pytest.fixture
def post():
    """One post, which may be thought to be made long ago: its history is not counted below."""
    return Post.objects.create(title="T", body="B")


def new(**values):
    return Post(**{"title": "T", "body": "B", **values})


def again(post):
    return new(pk=post.pk, title="U")


def changed(post, **values):
    for name, value in values.items():
        setattr(post, name, value)
    return post


def copy(statement, text):
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, io.StringIO(text))


IGNORE: dict[str, Any] = {"ignore_conflicts": True}
UPDATE: dict[str, Any] = {"update_conflicts": True, "update_fields": ["title"], "unique_fields": ["id"]}
# What is done with a post that is there, and the kinds of history rows that it leaves.
BY_ORM = {
    "create": (lambda post: Post.objects.create(title="T", body="B"), "+"),
    "save": (lambda post: changed(post, title="new").save(), "~"),
    "save of a new key": (lambda post: changed(post, pk=post.pk + 1).save(), "+"),
    "save without a change": (lambda post: post.save(), ""),
    "save of an expression": (lambda post: changed(post, user_id=F("user_id") + 1).save(), "~"),
    "save of an expression that changes nothing": (lambda post: changed(post, user_id=F("user_id") + 0).save(), ""),
    "save of one field": (lambda post: changed(post, title="new", body="").save(update_fields=["title"]), "~"),
    "delete": (lambda post: post.delete(), "-"),
    "get_or_create": (lambda post: Post.objects.get_or_create(title="U", defaults={"body": "B"}), "+"),
    "update_or_create": (lambda post: Post.objects.update_or_create(pk=post.pk, defaults={"title": "new"}), "~"),
    "update": (lambda post: Post.objects.update(title="new"), "~"),
    "update without a change": (lambda post: Post.objects.update(title="T"), ""),
    "bulk_create": (lambda post: Post.objects.bulk_create([new(), new()]), "++"),
    "bulk_create that ignores": (lambda post: Post.objects.bulk_create([again(post), new()], **IGNORE), "+"),
    "bulk_create that updates": (lambda post: Post.objects.bulk_create([again(post)], **UPDATE), "~"),
    "bulk_update": (lambda post: Post.objects.bulk_update([changed(post, title="new")], ["title"]), "~"),
    "delete of a queryset": (lambda post: Post.objects.all().delete(), "-"),
    "raw delete": (lambda post: Post.objects.all()._raw_delete("default"), "-"),
}
BY_SQL = {
    "insert": (f"INSERT INTO news_post {COLUMNS} VALUES (1, 'T', 'B')", "+"),
    "insert of several": (f"INSERT INTO news_post {COLUMNS} VALUES (1, 'T', 'B'), (1, 'U', 'B')", "++"),
    "insert that returns": (f"INSERT INTO news_post {COLUMNS} VALUES (1, 'T', 'B') RETURNING id", "+"),
    "insert of what is selected": (f"INSERT INTO news_post {COLUMNS} SELECT user_id, title, body FROM news_post", "+"),
    "insert or update": (f"INSERT INTO news_post {ON_CONFLICT} UPDATE SET title = excluded.title", "+~"),
    "insert or nothing": (f"INSERT INTO news_post {ON_CONFLICT} NOTHING", "+"),
    "update": ("UPDATE news_post SET title = 'new'", "~"),
    "update in small letters, behind a comment": ("/* by hand */ -- of it\n update news_post set title = 'new'", "~"),
    "update without a change": ("UPDATE news_post SET title = title", ""),
    "update behind a SELECT": (
        "WITH one AS (SELECT 'new' AS title) UPDATE news_post SET title = one.title FROM one",
        "~",
    ),
    "update of the key": ("UPDATE news_post SET id = id + 1000", "-+"),
    "delete": ("DELETE FROM news_post", "-"),
}
ONLY = {
    "postgresql": {
        "MERGE": (
            """
            MERGE INTO news_post p USING (VALUES ({pk}), (0)) AS v (id) ON p.id = v.id
            WHEN MATCHED THEN UPDATE SET title = 'new'
            WHEN NOT MATCHED THEN INSERT (user_id, title, body) VALUES (1, 'T', 'B')
            """,
            "+~",
        ),
        "a CTE that writes": (
            """
            WITH gone AS (DELETE FROM news_post RETURNING *)
            INSERT INTO news_post (user_id, title, body) SELECT user_id, title, body FROM gone
            """,
            "+-",
        ),
        "TRUNCATE": ("TRUNCATE news_post, news_comment", "-"),
        "DO": ("DO $$ BEGIN UPDATE news_post SET title = 'new'; END $$", "~"),
        "a second statement": ("SELECT 1; UPDATE news_post SET title = 'new'", "~"),
    },
    "sqlite": {
        "insert or replace": (f"INSERT OR REPLACE INTO {AGAIN}", "~"),
        "insert or ignore": (f"INSERT OR IGNORE INTO {AGAIN}", ""),
        "replace": (f"REPLACE INTO {AGAIN}", "~"),
    },
}


def left(post, editor, write):
    """The kinds of history rows that `write` leaves. Each of them says who and why."""
    before = len(kinds())
    with caused_by(Cause(user=lambda: editor, request_id="request-1", reason="It's 100 % “right”\\")):
        write()
    rows = list(Post.history.order_by("history_id")[before:])
    said = {(row.history_user_id, row.history_user_name, row.request_id, row.history_change_reason) for row in rows}
    assert said <= {(editor.pk, "editor", "request-1", "It's 100 % “right”\\")}
    return kinds()[before:]


@pytest.fixture(params=[nullcontext, transaction.atomic], ids=["alone", "in a transaction"])
def around(request):
    """What is around the writes."""
    return request.param


@pytest.mark.parametrize(("write", "expected"), BY_ORM.values(), ids=BY_ORM)
def test_the_orm(post, editor, write, expected, around):
    with around():
        assert left(post, editor, lambda: write(post)) == expected


def test_sql(editor, around):
    wrong = {}
    for name, (statement, expected) in {**BY_SQL, **ONLY[connection.vendor]}.items():
        Post.objects.all().delete()
        post = Post.objects.create(title="T", body="B")
        with around():
            found = left(post, editor, lambda: execute(statement.replace("{pk}", str(post.pk))))  # noqa: B023
        if sorted(found) != sorted(expected):
            wrong[name] = found
    assert wrong == {}


@pytest.mark.postgres
def test_copy(editor, post, around):
    with around():
        write = lambda: copy("COPY news_post (user_id, title, body) FROM STDIN", "1\tT\tB\n1\tU\tB\n")  # noqa: E731
        assert left(post, editor, write) == "++"


def test_many_values_at_once(editor, post):
    def write():
        with connection.cursor() as cursor:
            rows = [(number, "100 %", "B") for number in range(3)]
            cursor.executemany(f"INSERT INTO news_post {COLUMNS} VALUES (%s, %s, %s)", rows)

    assert left(post, editor, write) == "+++"
    assert newest().title == "100 %"


def test_a_row_that_is_returned_alone_can_be_read(editor):
    with caused_by(Cause(user=lambda: editor)), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO news_post {COLUMNS} VALUES (1, 'T', 'B'), (1, 'U', 'B') RETURNING title")
        assert (cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()) == (("T",), [("U",)], [])
    assert kinds() == "++"


def test_another_program_leaves_history_without_a_name(post):
    in_another_program("UPDATE news_post SET title = 'by hand'")
    row = newest()
    assert (kinds(), row.title, row.history_user_id, row.history_user_name) == ("+~", "by hand", None, "")


@pytest.mark.postgres
def test_rows_that_the_server_sends_bit_by_bit_can_be_read_with_a_cause():
    Post.objects.bulk_create([new(), new()])
    with because("Because"), transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute("WITH few AS (SELECT * FROM news_post) SELECT * FROM few")
        assert len(cursor.fetchall()) == 2


# --- what is written together ----------------------------------------------------------------------------------------
def test_children_go_before_their_parent_each_with_its_row(post, editor):
    Comment.objects.bulk_create(Comment(post=post, name="N", email="a@example.com", body="B") for _ in range(3))
    assert left(post, editor, post.delete) == "-"
    assert kinds(Comment) == "+++---"
    assert set(Comment.history.filter(history_type="-").values_list("history_user_name", flat=True)) == {"editor"}


def test_each_of_three_editors_in_one_statement_is_recorded():
    orders = Order.objects.bulk_create([Order(product_name="Umbrella", quantity=1) for _ in range(3)])
    rows = {order.pk: {"origin_user": f"editor {n}", "reason": f"Reason {n}"} for n, order in enumerate(orders)}
    with caused_by(Cause(origin="warehouse", reason="All", rows={Order: rows})):
        Order.objects.update(quantity=2)
    found = Order.history.filter(history_type="~").values_list("id", "origin", "origin_user", "history_change_reason")
    assert set(found) == {(order.pk, "warehouse", f"editor {n}", f"Reason {n}") for n, order in enumerate(orders)}


def test_the_reasons_of_single_rows_are_those_of_their_table_only(post):
    with caused_by(Cause(reason="All", rows={Order: {post.pk: {"reason": "One"}}})):
        Post.objects.update(title="new")
    assert newest().history_change_reason == "All"


@pytest.mark.parametrize("by", [1000, -1000])
def test_a_key_that_changes_ends_before_it_begins(post, by):
    execute(f"UPDATE news_post SET id = id + {by}")
    rows = Post.history.order_by("history_id").values_list("history_type", "id")
    assert list(rows)[1:] == [("-", post.pk), ("+", post.pk + by)]


def test_keys_that_change_places_are_two_changes():
    first, second = Post.objects.bulk_create([new(title="A"), new(title="B")])
    swapped = f"CASE id WHEN {first.pk} THEN -{second.pk} ELSE -{first.pk} END"
    execute(f"UPDATE news_post SET id = {swapped}")
    assert sorted(kinds()) == sorted("++--++")
    assert set(Post.history.filter(history_type="-").values_list("id", flat=True)) == {first.pk, second.pk}


# --- transactions ----------------------------------------------------------------------------------------------------
def test_a_savepoint_that_is_rolled_back_leaves_neither_row_nor_cause(post, editor):
    with transaction.atomic():
        savepoint = transaction.savepoint()
        with caused_by(Cause(user=lambda: editor)):
            Post.objects.update(title="lost")
        transaction.savepoint_rollback(savepoint)
        execute("UPDATE news_post SET title = 'kept'")
    assert (kinds(), newest().title, newest().history_user_name) == ("+~", "kept", "")


def test_a_statement_that_fails_leaves_neither_row_nor_cause(post, editor):
    with pytest.raises(Exception, match="title"), caused_by(Cause(user=lambda: editor)):
        Post.objects.create(title="", body="B")
    in_another_program("UPDATE news_post SET title = 'by hand'")
    assert (kinds(), newest().history_user_name) == ("+~", "")


def test_a_cause_ends_with_its_block(post, editor, around):
    with around():
        with caused_by(Cause(user=lambda: editor)), because("First"):
            Post.objects.update(title="first")
        Post.objects.update(title="second")
    said = Post.history.order_by("history_id").values_list("history_user_name", "history_change_reason")
    assert list(said)[1:] == [("editor", "First"), ("", None)]


def test_a_cause_within_another_replaces_it(post, editor):
    with transaction.atomic(), caused_by(Cause(user=lambda: editor, reason="Outer")):
        Post.objects.update(title="first")
        with caused_by(replace(cause(), reason="Inner")):
            Post.objects.update(title="second")
        Post.objects.update(title="third")
    reasons = Post.history.order_by("history_id").values_list("history_change_reason", flat=True)
    assert list(reasons)[1:] == ["Outer", "Inner", "Outer"]


# --- who -------------------------------------------------------------------------------------------------------------
def test_the_name_stays_when_the_account_goes(post, editor):
    with caused_by(Cause(user=lambda: editor)):
        Post.objects.update(title="new")
    editor.delete()
    assert (newest().history_user_name, newest().history_user) == ("editor", None)


def test_an_account_that_is_gone_meanwhile_stops_no_write(post, editor):
    pk = editor.pk
    type(editor).objects.all().delete()
    editor.pk = pk
    with caused_by(Cause(user=lambda: editor)):
        Post.objects.update(title="new")
    assert (newest().history_user_id, newest().history_user_name) == (pk, "editor")


def test_a_reason_may_have_any_length(post):
    with because("x" * 5000):
        Post.objects.update(title="new")
    assert newest().history_change_reason == "x" * 5000


# --- what Django sets by itself --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "write",
    [lambda item: item.save(), lambda item: Item.objects.update(updated_at="2020-01-01T00:00Z")],
    ids=["save", "update"],
)
def test_a_write_that_changes_nothing_moves_no_time_of_change(write):
    item = Item.objects.create(title="T")
    before = Item.objects.get().updated_at
    write(item)
    assert (Item.objects.get().updated_at, kinds(Item)) == (before, "+")


def test_a_change_moves_the_time_of_change():
    item = Item.objects.create(title="T")
    before = Item.objects.get().updated_at
    changed(item, title="new").save()
    assert Item.objects.get().updated_at > before
    assert newest(Item).updated_at == Item.objects.get().updated_at


# --- beside the triggers ---------------------------------------------------------------------------------------------
def test_what_would_record_a_second_time_is_refused():
    with pytest.raises(NotImplementedError, match="The database writes the history"):
        bulk_create_with_history([new()], Post)
    assert (kinds(), Post.objects.count()) == ("", 0)


def test_a_long_run_of_spaces_costs_nothing():
    """Read in every possible way it would take years."""
    execute(f"SELECT{' ' * 5000} 1")
    execute(f"{' ' * 5000} SELECT 1")
