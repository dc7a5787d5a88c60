"""Teams and who is in them: writes that span rows."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from content.palettes.models import Membership, Team
from content.palettes.names import names_for


class LastMemberError(ValidationError):
    """Nobody would be left in the team."""

    def __init__(self, user: Any) -> None:
        super().__init__(f"{user} is the last member, who can't leave; delete the team instead.", code="last_member")


def join(*, team: Team, user: Any) -> Membership:
    """Make `user` a member.

    Raises:
        ValidationError: they are one already.
    """
    membership = Membership(team=team, user=user)
    membership.full_clean()
    membership.save(force_insert=True)
    return membership


def leave(*, membership: Membership) -> None:
    """End a membership.

    Raises:
        LastMemberError: nobody would be left.
    """
    with transaction.atomic():
        membership.delete()


def lock_team(team_id: int) -> None:
    """Let nobody else leave the team until this transaction ends; joining goes on."""
    list(Team.objects.filter(pk=team_id).select_for_update(no_key=True).values_list("pk"))


def check_members_left(*, membership: Membership) -> None:
    """After `membership` ended, with the team locked.

    Raises:
        LastMemberError: it was the last one.
    """
    if not Membership.objects.filter(team_id=membership.team_id).exists():
        raise LastMemberError(membership.user)


def give_personal_team(user: Any) -> Team:
    """A team of their own for a new user, whatever other teams are called."""
    for name in names_for(user.get_username()):
        try:
            with transaction.atomic():
                team: Team = Team.objects.create(name=name)
                Membership.objects.create(team=team, user=user)
                return team
        except IntegrityError:
            continue  # another team has the name, perhaps since a moment ago
    raise RuntimeError("No name was left for a personal team.")
