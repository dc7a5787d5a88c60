"""People and clients for the tests of the JSON API."""

import json
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from backoffice.accounts.models import User
from backoffice.kit.sessions import tokens

NEWS = [f"{action}_{model}" for action in ("view", "add", "change", "delete") for model in ("post", "comment")]


def make_user(username: str = "editor", *, permissions: list[str] | None = None, **fields: Any) -> User:
    """A user with the named permissions of the news (None: those of an editor)."""
    user = User.objects.create_user(username, **fields)
    names = NEWS if permissions is None else permissions
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="news", codename__in=names))
    return user


class ApiClient(Client):
    """Django's client, signed in by a token, whose bodies are JSON; errors of the server come as answers."""

    def __init__(self, user: User) -> None:
        token = tokens.begin(user).access
        super().__init__(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})

    def send(self, method: str, path: str, data: Any, **options: Any) -> Any:
        """`data` goes out as JSON; bytes go as they are."""
        body = data if isinstance(data, bytes) else json.dumps(data)
        return self.generic(method, path, body, content_type="application/json", **options)


def errors(response: Any) -> dict[str, str]:
    """The problem's errors as `{"field": "message"}`, after a look at its shape."""
    problem = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert list(problem) == ["type", "title", "status", "detail", "errors"]
    assert problem["status"] == response.status_code
    return {error["field"]: error["message"] for error in problem["errors"]}
