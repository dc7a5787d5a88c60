from collections.abc import Iterator

import pytest

from tests.remote import Remote


@pytest.fixture
def remote() -> Iterator[Remote]:
    """A Fake API of the test's own, on loopback."""
    with Remote() as remote:
        yield remote
