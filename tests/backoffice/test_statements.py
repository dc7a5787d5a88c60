"""Statements that are made once, and the connections that run them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from backoffice.kit import database
from backoffice.kit.accounts import active_account
from backoffice.kit.statements import Slot, Statement
from content.news.models import Post
from content.orders.models import Order
from content.tasks.models import Item
from tests.content.api_client import ApiClient, make_user

KEY = Slot("key", Post._meta.pk)


@pytest.fixture
def statement():
    return Statement(Post.objects.filter(pk=KEY, title__gt="%s").values_list("title"), prepare=True)


@pytest.mark.django_db
def test_a_statement_finds_what_its_query_finds():
    order = Order.objects.create(product_name="Desk", quantity=5)
    item = Item.objects.create(title="T", external_data={"a": [1, "ä"]})
    for obj in (order, item):
        rows, names = type(obj).objects.all(), [field.attname for field in obj._meta.concrete_fields]
        found = Statement(rows.filter(pk=Slot("key", obj._meta.pk)).values_list(*names)).run({"key": obj.pk})
        assert [tuple(row) for row in found] == list(rows.values_list(*names))


@pytest.mark.django_db
def test_a_number_that_the_column_cannot_hold_is_not_sent(statement):
    with CaptureQueriesContext(connection) as queries, pytest.raises(OverflowError):
        statement.run({"key": 2**63})
    assert not queries.captured_queries


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_statement_is_prepared_once_for_each_connection(statement):
    post = Post.objects.create(title="T", body="B")
    with CaptureQueriesContext(connection) as queries:
        assert [statement.run({"key": post.pk}) for _ in range(2)] == [[("T",)]] * 2
    assert [query["sql"].split()[0] for query in queries] == ["PREPARE", "EXECUTE", "EXECUTE"]
    connection.close()
    assert statement.run({"key": post.pk}) == [("T",)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["DEALLOCATE ALL", "ALTER TABLE news_post ALTER title TYPE varchar(255)"])
def test_a_prepared_statement_that_no_longer_fits_is_sent_whole(statement, change):
    post = Post.objects.create(title="T", body="B")
    statement.run({"key": post.pk})
    with connection.cursor() as cursor:
        cursor.execute(change)
    try:
        assert [statement.run({"key": post.pk}) for _ in range(2)] == [[("T",)]] * 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE news_post ALTER title TYPE varchar(256)")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_session_that_a_pooler_shares_gives_each_program_its_own_statement():
    """A pooler's session may have been prepared by another process, whose statements were made in another order."""
    post = Post.objects.create(title="T", body="B")
    rows = Post.objects.filter(pk=KEY)
    ours, theirs = (Statement(rows.values_list("title"), prepare=True) for _ in range(2))
    body = Statement(rows.values_list("body"), prepare=True)
    none = Statement(rows.filter(body="other").values_list("title"), prepare=True)
    assert [one.run({"key": post.pk}) for one in (theirs, ours, ours)] == [[("T",)]] * 3
    assert [one.run({"key": post.pk}) for one in (body, none, none)] == [[("B",)], [], []]
    assert Statement(rows.filter(body="B").values_list("title"), prepare=True).run({"key": post.pk}) == [("T",)]


@pytest.mark.django_db(transaction=True)
def test_a_statement_runs_inside_a_transaction(statement):
    post = Post.objects.create(title="T", body="B")
    with transaction.atomic():
        assert statement.run({"key": post.pk}) == [("T",)]


# --- accounts ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_account_comes_with_what_django_would_read():
    user = make_user(permissions=["view_post"])
    user.groups.add(group := Group.objects.create(name="editors"))
    group.permissions.set(Permission.objects.filter(codename__in=["add_post", "view_post", "view_item"]))
    account = active_account(user.pk)
    for ask in ("get_user_permissions", "get_group_permissions", "get_all_permissions"):
        with CaptureQueriesContext(connection) as queries:
            permissions = getattr(account, ask)()
        assert permissions == getattr(User.objects.get(), ask)()
        assert not queries.captured_queries
    assert vars(account)["_state"].adding is False
    assert account == user
    assert {field.attname: getattr(account, field.attname) for field in User._meta.concrete_fields} == (
        User.objects.values().get()
    )


@pytest.mark.django_db
def test_a_superuser_has_all_permissions():
    account: Any = active_account(make_user(permissions=[], is_superuser=True).pk)
    assert account.has_perm("news.view_post")
    assert "news.view_post" in account.get_all_permissions()


@pytest.mark.django_db
def test_nobody_is_no_account():
    user = make_user(is_active=False)
    assert active_account(user.pk) is None
    assert active_account(user.pk + 1) is None


@pytest.mark.django_db
def test_a_right_ends_with_the_next_request():
    user = make_user(permissions=[])
    user.groups.add(group := Group.objects.create(name="editors"))
    group.permissions.set(Permission.objects.filter(codename="view_post"))
    api = ApiClient(user)
    assert api.get("/api/news/posts/").status_code == 200
    group.permissions.clear()
    assert api.get("/api/news/posts/").status_code == 403
    User.objects.update(is_active=False)
    assert api.get("/api/news/posts/").status_code == 401


# --- connections ------------------------------------------------------------------------------------------------------
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestHealth:
    @pytest.fixture(autouse=True)
    def _a_connection_that_is_checked(self, monkeypatch):
        self.wrapper = connections[connection.alias]
        self.wrapper.ensure_connection()
        monkeypatch.setattr(self.wrapper, "health_check_enabled", True)

    def begin_request(self):
        connection.close_if_unusable_or_obsolete()  # Django's receiver; the tests' client leaves it out
        database.trust_recent()

    def read_unasked(self, monkeypatch):
        def is_usable():
            raise AssertionError("It was asked.")

        monkeypatch.setattr(self.wrapper, "is_usable", is_usable)
        assert not Post.objects.exists()

    def test_a_connection_used_a_moment_ago_is_not_asked(self, monkeypatch):
        database.remember_use()
        self.begin_request()
        self.read_unasked(monkeypatch)

    def test_a_connection_not_used_for_a_while_is_asked(self, monkeypatch):
        monkeypatch.setattr(database, "TRUSTED_SECONDS", 0)
        database.remember_use()
        self.begin_request()
        with pytest.raises(AssertionError, match="asked"):
            self.read_unasked(monkeypatch)

    def test_a_connection_that_its_server_closed_is_replaced(self):
        session = connection.connection
        ended = connection.copy()
        with ended.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [session.info.backend_pid])
        ended.close()
        database.remember_use()
        self.begin_request()
        assert not Post.objects.exists()
        assert connection.connection is not session
