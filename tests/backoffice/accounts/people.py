"""Accounts with roles, for tests."""

from typing import Any

from django.contrib.auth.models import Group

from backoffice.accounts.models import User
from tests.content.pages import person

ROLES = ("viewer", "editor", "importer", "operator", "administrator")


def role(slug: str) -> Group:
    return Group.objects.get(role__slug=slug)


def account(name: str, *roles: str, permissions: tuple[str, ...] = (), **fields: Any) -> User:
    """An account that may open the admin, with these roles and single permissions (`news.view_post`)."""
    user = person(name, *permissions, **fields)
    user.groups.add(*map(role, roles))
    return user
