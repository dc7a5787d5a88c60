"""Accounts with roles, for tests."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.test import Client

from backoffice.accounts.models import User

ROLES = ("viewer", "editor", "importer", "operator", "administrator")


def role(slug: str) -> Group:
    return Group.objects.get(role__slug=slug)


def account(name: str, *roles: str, permissions: tuple[str, ...] = (), **fields: Any) -> User:
    """An account that may open the admin, with these roles and single permissions (`news.view_post`)."""
    user = User.objects.create_user(name, **{"is_staff": True, **fields})
    user.groups.add(*map(role, roles))
    for text in permissions:
        app_label, _, codename = text.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
