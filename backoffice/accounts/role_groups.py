"""Make the groups of the ready roles, and give them the permissions of each new model, after every migration.

- A permission is given once: what an administrator takes away from a role stays away, and what they add stays too.
- A role's group may be renamed; one that was deleted does not come back.
- A group that has a role's name already, and is somebody's own, gets nothing.
"""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.translation import override

from backoffice.accounts.models import Role
from backoffice.accounts.roles import ROLES, Grant, ReadyRole


def complete_roles(sender: AppConfig, apps: Any, using: str, **_: object) -> None:
    """Receive `post_migrate`, which Django sends for one app after the other: act once all have their permissions."""
    is_last = sender is [*installed.get_app_configs()][-1]
    if is_last and {("accounts", "role"), ("audit", "entry")} <= _migrated(apps):
        with transaction.atomic(using=using):
            complete()


def complete() -> None:
    """Make the roles that are missing, and give each role what it was never given."""
    permissions = Permission.objects.select_related("content_type")
    grants = [(permission, grant) for permission in permissions if (grant := Grant.of(permission))]
    stored = Role.objects.select_related("group").in_bulk()
    for ready in ROLES:
        role = stored.get(ready.slug) or _make(ready)
        news = {grant.name: permission for permission, grant in grants if ready.gives(grant)}
        for name in role.given:
            news.pop(name, None)
        if news and role.group is not None:
            role.group.permissions.add(*news.values())
            role.given = sorted({*role.given, *news})
            role.save(update_fields=["given"])


def _make(ready: ReadyRole) -> Role:
    with override(None):
        name = str(ready.label)
    if Group.objects.filter(name=name).exists():
        name += " (ready role)"
    return Role.objects.create(slug=ready.slug, group=Group.objects.create(name=name))


def _migrated(apps: Any) -> set[tuple[str, str]]:
    """Return the models whose tables exist now; after a migration backwards some do not."""
    return {(model._meta.app_label, model._meta.model_name) for model in apps.get_models()}
