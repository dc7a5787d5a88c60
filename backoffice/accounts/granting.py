"""Nobody gives what they don't have: which accounts, groups and permissions a person may give or change.

An account counts by all that it may do when it is active: whoever sets its password or address can become it.
"""

from typing import cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db.models import Q, QuerySet

from backoffice.accounts.models import User

Giver = User | AbstractBaseUser | AnonymousUser


def has_all(giver: Giver) -> bool:
    """Return whether the person is a superuser, who may give everything."""
    return bool(getattr(giver, "is_superuser", False)) and giver.is_active


def permissions_to_give(giver: Giver) -> QuerySet[Permission]:
    """Return the permissions that the person has."""
    everything = Permission.objects.select_related("content_type").order_by(*_ORDER)
    if has_all(giver):
        return everything
    names = cast(User, giver).get_all_permissions()
    rows = Permission.objects.values_list("pk", "content_type__app_label", "codename")
    return everything.filter(pk__in=[pk for pk, app_label, codename in rows if f"{app_label}.{codename}" in names])


def groups_to_give(giver: Giver) -> QuerySet[Group]:
    """Return the groups whose permissions the person all has."""
    if has_all(giver):
        return Group.objects.all()
    return Group.objects.exclude(permissions__in=_not_had(giver))


def may_manage(giver: Giver, account: User) -> bool:
    """Return whether the person may change the account: it has no permission that they lack."""
    if has_all(giver):
        return True
    of_account = Q(user=account) | Q(group__user=account)
    return not account.is_superuser and not _not_had(giver).filter(of_account).exists()


def may_manage_group(giver: Giver, group: Group) -> bool:
    """Return whether the person may change the group: it gives no permission that they lack."""
    return groups_to_give(giver).filter(pk=group.pk).exists()


_ORDER = ("content_type__app_label", "content_type__model", "codename")


def _not_had(giver: Giver) -> QuerySet[Permission]:
    return Permission.objects.exclude(pk__in=[permission.pk for permission in permissions_to_give(giver)])
