"""Behind PgBouncer in transaction mode each transaction has another session: nothing is kept in one, or set for one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tablib import Dataset

from backoffice.kit.database import limit_statements
from backoffice.kit.statements import Slot, Statement
from content.news.models import Post
from content.news.resources import PostResource
from tests.backoffice.test_settings import PRODUCTION, settings_with


@pytest.fixture
def pooled(settings):
    settings.DATABASE_POOLED = True


def test_no_options_are_sent_and_no_cursor_is_kept(tmp_path):
    address = {**PRODUCTION, "DATABASE_URL": "postgres://me@db.example/x"}
    direct = settings_with(tmp_path, address).DATABASES["default"]
    pooled = settings_with(tmp_path, {**address, "DATABASE_POOLED": "true"}).DATABASES["default"]
    assert (direct["OPTIONS"]["options"], direct["DISABLE_SERVER_SIDE_CURSORS"]) == (
        "-c idle_in_transaction_session_timeout=120s",
        False,
    )
    assert (pooled["OPTIONS"].get("options"), pooled["DISABLE_SERVER_SIDE_CURSORS"]) == (None, True)


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_process_sets_no_limits(pooled):
    before = dict(connection.settings_dict["OPTIONS"])
    limit_statements("web")
    assert connection.settings_dict["OPTIONS"] == before


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_no_statement_is_prepared(pooled):
    post = Post.objects.create(title="T", body="B")
    statement = Statement(Post.objects.filter(pk=Slot("key", Post._meta.pk)).values_list("title"), prepare=True)
    with CaptureQueriesContext(connection) as queries:
        assert [statement.run({"key": post.pk}) for _ in range(2)] == [[("T",)]] * 2
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("dry_run", [True, False])
def test_the_temporary_tables_of_an_import_live_in_one_transaction(pooled, dry_run):
    outside = []

    def note(execute, sql, params, many, context):
        if "import_" in sql and not connection.in_atomic_block:
            outside.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        result = PostResource().import_data(Dataset(["T", "B"], headers=["title", "body"]), dry_run=dry_run)
    assert not result.has_errors()
    assert outside == []
    assert Post.objects.count() == (0 if dry_run else 1)
