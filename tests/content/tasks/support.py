"""Who works on items, and what the tests of tasks ask."""

from typing import Any

from backoffice.accounts.models import User
from tests.content.pages import person

RIGHTS = ("view_item", "add_item", "change_item", "delete_item")


def editor(*rights: str, name: str = "editor") -> User:
    """A user with the named permissions of the tasks (none named: all to read and write)."""
    return person(name, *(f"tasks.{right}" for right in rights or RIGHTS))


def problem(answer: Any) -> tuple[int, str]:
    """Its status and detail, after a look at its shape."""
    found = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert found["status"] == answer.status_code
    return answer.status_code, found["detail"]


def post(client: Any, address: str, headers: dict[str, str] | None = None) -> Any:
    """The answer to a POST without a body."""
    return client.generic("POST", address, headers=headers or {})
