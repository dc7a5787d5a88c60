import os
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import connection

from tests import postgres
from tests.backoffice.test_away import other_settings


@pytest.fixture(autouse=True)
def programs(settings):
    """PostgreSQL's programs of the server's version: those of the wheel that the server is of."""
    if "TEST_DATABASE_URL" not in os.environ:
        settings.POSTGRES_PROGRAMS = str(postgres.binaries())


@pytest.fixture
def elsewhere(tmp_path):
    """Return a context in which the program runs on an empty database; PostgreSQL's may be in another cluster."""

    @contextmanager
    def move(*, cluster=False):
        with ExitStack() as stack:
            if connection.vendor == "sqlite":
                changed: dict[str, object] = {"NAME": str(tmp_path / f"{uuid4().hex}.sqlite3")}
            elif cluster:
                url = urlsplit(stack.enter_context(postgres.server()))
                changed = {"NAME": "postgres", "HOST": url.hostname, "PORT": url.port, "USER": url.username}
            else:
                changed = {"NAME": stack.enter_context(new_database())}
            stack.enter_context(other_settings(**changed))
            connection.close()
            yield

    return move


@contextmanager
def new_database():
    name = f"elsewhere_{uuid4().hex}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
