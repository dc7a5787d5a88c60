import pytest

from tests.content.api_client import ApiClient, make_user


@pytest.fixture
def api(db):
    """The client of an editor of the news."""
    return ApiClient(make_user())
