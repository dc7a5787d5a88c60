"""Writes of teams and memberships that span rows."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from content.palettes.models import Membership, Team
from content.palettes.names import names_for


class LastMemberError(ValidationError):
    """The team would have no members left."""

    def __init__(self, user: Any) -> None:
        super().__init__(f"{user} is the last member, who can't leave; delete the team instead.", code="last_member")


def join(*, team: Team, user: Any) -> Membership:
    """Make a user a member of a team, and return the membership.

    Raises:
        ValidationError: the user is a member already.
    """
    membership = Membership(team=team, user=user)
    membership.full_clean()
    membership.save(force_insert=True)
    return membership


def leave(*, membership: Membership) -> None:
    """End a membership.

    Raises:
        LastMemberError: it is the last membership of its team.
    """
    with transaction.atomic():
        membership.delete()


def lock_team(team_id: int) -> None:
    """Keep others from leaving the team until this transaction ends; joining stays possible."""
    list(Team.objects.filter(pk=team_id).select_for_update(no_key=True).values_list("pk"))


def check_members_left(*, membership: Membership) -> None:
    """Check, after `membership` was deleted and with the team locked, that the team has members left.

    Raises:
        LastMemberError: it was the last membership of its team.
    """
    if not Membership.objects.filter(team_id=membership.team_id).exists():
        raise LastMemberError(membership.user)


def give_personal_team(user: Any) -> Team:
    """Create a personal team for a new user, with the first name that no other team has."""
    for name in names_for(user.get_username()):
        try:
            with transaction.atomic():
                team: Team = Team.objects.create(name=name)
                Membership.objects.create(team=team, user=user)
                return team
        except IntegrityError:
            continue  # another team has the name, perhaps created concurrently
    raise RuntimeError("No name was left for a personal team.")
