"""Signal receivers: give a new user a team, and keep a team from losing its last member, for every kind of write."""

from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete

from content.palettes import services
from content.palettes.models import Membership, Team


def connect() -> None:
    post_save.connect(on_new_user, sender=settings.AUTH_USER_MODEL, dispatch_uid="palettes.personal_team")
    pre_delete.connect(on_leaving, sender=Membership, dispatch_uid="palettes.leaving")
    post_delete.connect(on_left, sender=Membership, dispatch_uid="palettes.left")


def on_new_user(instance: Any, created: bool, raw: bool, **_: object) -> None:  # noqa: FBT001 - the signal's
    if created and not raw:
        services.give_personal_team(instance)


def on_leaving(instance: Membership, origin: Any, **_: object) -> None:
    """Keep others from leaving the team until this transaction ends; joining stays possible."""
    if _is_membership(origin):
        list(Team.objects.filter(pk=instance.team_id).select_for_update(no_key=True).values_list("pk"))


def on_left(instance: Membership, origin: Any, **_: object) -> None:
    """Check that the team has members left, after all deletes of a statement: two may be removed together.

    Raises:
        LastMemberError: it has none.
    """
    if _is_membership(origin) and not Membership.objects.filter(team_id=instance.team_id).exists():
        raise services.LastMemberError(instance.user)


def _is_membership(origin: Model | QuerySet[Any] | None) -> bool:
    """Return whether memberships were deleted themselves, not with their team or user."""
    model = origin.model if isinstance(origin, QuerySet) else type(origin)
    return model is Membership
