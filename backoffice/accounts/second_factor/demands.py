"""Who has to have a second factor: the members of groups that demand it.

Superusers may do whatever any group may, so they have to have one as soon as any group demands it.
"""

from django.contrib.auth.models import Group

from backoffice.accounts.models import User
from backoffice.accounts.second_factor.models import Demand
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record


def must_set_up(user: User) -> bool:
    """Return whether the account has to have a second factor, and has none."""
    if user.second_factor_at is not None:
        return False
    demands = Demand.objects.all() if user.is_superuser else Demand.objects.filter(group__user=user)
    return demands.exists()


def is_demanded(group: Group) -> bool:
    return Demand.objects.filter(pk=group.pk).exists()


def demand(group: Group, *, demanded: bool) -> None:
    """Demand a second factor of the group's members, or demand it no longer."""
    if demanded == is_demanded(group):
        return
    if demanded:
        Demand.objects.create(group=group)
    else:
        Demand.objects.filter(group=group).delete()
    record(Action.GROUP_CHANGED, group, fields=["second_factor"], second_factor=demanded)
