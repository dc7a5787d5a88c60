"""Reads from a streaming replica: for those who can't write only, and only while it has what the primary has."""

import json
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection, connections, router
from django.test.utils import CaptureQueriesContext

from backoffice.kit import read_replica
from content.news.models import Post
from tests import replication
from tests.backoffice.test_api_keys import POSTS, client_with, make_key
from tests.content.api_client import ApiClient, make_user
from tests.content.pages import administrator
from tests.flows.wait import until
from tests.syncer.conftest import sync, target  # noqa: F401

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True, databases=["default", "replica"])]

LISTED = (POSTS, f"{POSTS}?all=true", f"{POSTS}?search=first&count=true")


@pytest.fixture(scope="module", autouse=True)
def configured(django_db_setup):
    """What DATABASE_REPLICA_URL would set; there before Django opens the databases of a test."""
    with pytest.MonkeyPatch.context() as patch:
        server = connection.settings_dict
        patch.setitem(
            settings.DATABASES, read_replica.ALIAS, {**server, "TEST": {**server["TEST"], "MIRROR": "default"}}
        )
        patch.setattr(router, "routers", [read_replica.ReplicaRouter()])
        patch.setattr(read_replica, "ASK", 60.0)  # what was found is believed as long as a test takes
        yield
        del connections[read_replica.ALIAS]


@pytest.fixture(scope="module")
def lasting(configured):
    with replication.standby(primary()) as standby:
        yield standby


@pytest.fixture
def standby(lasting):
    """A replica that follows the test database."""
    with followed_by(lasting):
        yield lasting


@pytest.fixture
def mortal():
    """A replica of the test's own."""
    with replication.standby(primary()) as standby, followed_by(standby):
        yield standby


def primary():
    return replication.Server(int(connection.settings_dict["PORT"]))


@contextmanager
def followed_by(standby):
    connections[read_replica.ALIAS].settings_dict["PORT"] = standby.port
    read_replica.replica.forget()
    Post.objects.create(title="first", body="B")
    until(has_caught_up)
    yield
    connections[read_replica.ALIAS].close()


def has_caught_up():
    """Ask again."""
    read_replica.replica.forget()
    return read_replica.replica.has_caught_up()


@pytest.fixture
def reader():
    return client_with(make_key(make_user(), "news.view_post")[1])


@contextmanager
def reads():
    """The statements that the replica runs, but for the question what it has."""
    found: list[str] = []
    with CaptureQueriesContext(connections[read_replica.ALIAS]) as queries:
        yield found
    found += [query["sql"] for query in queries if query["sql"] != read_replica.REPLICA]


def titles(client, path=POSTS, **options):
    answer = json.loads(client.get(path, **options).getvalue())
    return [post["title"] for post in (answer if isinstance(answer, list) else answer["items"])]


def test_who_can_not_write_reads_from_the_replica(standby, reader):
    for path in LISTED:
        with reads() as statements:
            assert titles(reader, path) == ["first"]
        assert statements, path
    one = f"{POSTS}{Post.objects.get().pk}/"
    with reads() as statements:
        answer = reader.get(one)
    assert (answer.json()["title"], len(statements)) == ("first", 1)


def test_whoever_can_write_reads_from_the_primary(standby, reader, target):  # noqa: F811
    """Also what they have not just written: there is no time after which they are believed to write no more."""
    user = make_user("writer")
    clients = {
        "a key that can add": client_with(make_key(user, "news.view_post", "news.add_post")[1]),
        "a key for all": client_with(make_key(user)[1]),
        "a token": ApiClient(user),
        "a session": administrator(),
    }
    with reads() as statements:
        for name, client in clients.items():
            assert [titles(client, path) for path in LISTED] == [["first"]] * 3, name
        assert titles(reader, headers={"Cache-Control": "no-cache"}) == ["first"]
        assert sync(target).message == "1 created."
    assert statements == []


def test_what_the_replica_has_not_is_read_from_the_primary(standby, reader):
    standby.ask("SELECT pg_wal_replay_pause()")
    Post.objects.create(title="second", body="B")
    read_replica.replica.forget()
    with reads() as statements:
        assert titles(reader) == ["second", "first"]
    assert statements == []
    standby.ask("SELECT pg_wal_replay_resume()")
    until(has_caught_up)


def test_a_replica_that_goes_away_is_replaced_by_the_primary(mortal, reader):
    assert titles(reader) == ["first"]  # by a connection that is kept
    mortal.kill()
    with reads() as statements:
        assert titles(reader) == ["first"]
    assert statements  # it was tried
    assert not has_caught_up()
    assert titles(reader) == ["first"]


def test_a_replica_that_was_promoted_answers_nobody(mortal, reader):
    """It may take other writes now."""
    mortal.promote()
    mortal.ask("UPDATE news_post SET title = 'elsewhere'", database=connection.settings_dict["NAME"])
    assert not has_caught_up()
    assert titles(reader) == ["first"]
