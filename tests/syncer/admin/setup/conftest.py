"""A person who sets up the Fake API step by step."""

from typing import Any

import pytest

from syncer.models import Route, Target
from tests.remote import Remote
from tests.syncer.admin.setup.walk import Walk


@pytest.fixture
def walk(remote: Remote, transactional_db: None) -> Walk:
    """An administrator at the first step."""
    return Walk(remote)


@pytest.fixture
def paused(remote: Remote, transactional_db: None) -> Target:
    """A target whose first three steps are done."""
    return Target.objects.create(name="api", title="API", url=remote.url, enabled=False)


@pytest.fixture
def draft(paused: Target) -> Route:
    """A route of the target that is off, with a mapping."""
    columns: dict[str, Any] = {"fields": {"title": "title", "body": "body"}, "lookup": ["title"]}
    return Route.objects.create(target=paused, model="news.Post", path="/posts", enabled=False, **columns)
