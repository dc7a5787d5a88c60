from typing import Any

import pytest

from content.tasks.models import Item
from tests.content.api_client import ApiClient
from tests.content.tasks.support import editor
from tests.remote import Remote

RECORD = {"id": 7, "title": "Theirs", "body": "The pump leaks. It was seen on Monday. Nobody is hurt."}


@pytest.fixture
def external(remote: Remote, settings: Any) -> Remote:
    """The Fake API as the external API, with one record, 7."""
    settings.TASKS_EXTERNAL_URL = f"{remote.url}/posts"
    settings.TASKS_EXTERNAL_TIMEOUT = 2.0
    settings.TASKS_EXTERNAL_TOTAL = 10.0
    settings.TASKS_RETRY_SECONDS = 0.01
    remote.store.load("posts", [RECORD])
    return remote


@pytest.fixture
def api(db: None) -> ApiClient:
    return ApiClient(editor())


@pytest.fixture
def item(db: None) -> Item:
    return Item.objects.create(title="Repair the pump", description="It leaks.", external_id="7")
