"""The number of statements of each kind of page, which is the same however many rows there are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from content.news.models import Post
from syncer.models import Run
from tests.content.pages import administrator
from tests.syncer.conftest import sync

# Each includes the session, the user, and whether they have to set up a second factor. `target` has two routes, each of
# which adds a few; on SQLite more, because there every mark that is read costs three.
STATEMENTS = {
    "postgresql": {
        "home": 27,
        "targets": 17,
        "a target": 19,
        "a list": 13,
        "a list, searched": 13,
        "a list, sorted": 13,
        "a form": 11,
        "a run": 6,
        "bindings": 11,
    },
    "sqlite": {
        "home": 33,
        "targets": 25,
        "a target": 27,
        "a list": 15,
        "a list, searched": 15,
        "a list, sorted": 15,
        "a form": 13,
        "a run": 6,
        "bindings": 13,
    },
}


def posts(number: int) -> None:
    Post.objects.bulk_create([Post(title=f"A {i}", body="B") for i in range(number)])


@pytest.fixture
def pages(target):
    """The pages of a target with a few objects in sync, and a few that changed since."""
    administrator()  # before the posts, so that the last edit is one of a post
    posts(3)
    sync(target)
    posts(3)

    def address(name: str, *args: object) -> str:
        return reverse(f"admin:{name}", args=args)

    return {
        "home": address("index"),
        "targets": address("syncer_target_changelist"),
        "a target": address("syncer_target_change", target.pk),
        "a list": address("news_post_changelist"),
        "a list, searched": address("news_post_changelist") + "?q=A",
        "a list, sorted": address("news_post_changelist") + "?o=1",
        "a form": address("news_post_change", Post.objects.earliest("pk").pk),
        "a run": address("syncer_run_change", Run.objects.earliest("pk").pk),
        "bindings": address("syncer_binding_changelist"),
    }


def counted(pages: dict[str, str]) -> dict[str, int]:
    client = administrator()
    numbers = {}
    for name, address in pages.items():
        client.get(address)  # fills what is read once per process
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        numbers[name] = len(found)
    return numbers


def test_each_page_makes_its_number_of_statements_for_few_rows_and_for_many(pages, target):
    assert counted(pages) == STATEMENTS[connection.vendor]
    posts(60)
    sync(target)
    posts(60)
    assert counted(pages) == STATEMENTS[connection.vendor]
