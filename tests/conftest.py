from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from tests.remote import Remote


@pytest.fixture
def remote() -> Iterator[Remote]:
    """A Fake API of the test's own, on loopback."""
    with Remote() as remote:
        yield remote


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file instead of memory, so that another process, a worker, can share it."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(settings.VAR_DIR / "test.sqlite3")
