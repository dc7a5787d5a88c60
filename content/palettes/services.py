"""Writes of teams and memberships that span rows."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from content.palettes.models import Membership, Team
from content.palettes.names import names_for


class LastMemberError(ValidationError):
    """The team would have no members left."""

    def __init__(self, user: Any) -> None:
        text = _("%(user)s is the last member, who can't leave; delete the team instead.")
        super().__init__(text % {"user": user}, code="last_member")


def join(*, team: Team, user: Any) -> Membership:
    """Make a user a member of a team, and return the membership.

    Raises:
        ValidationError: the user is a member already.
    """
    membership = Membership(team=team, user=user)
    membership.full_clean()
    membership.save(force_insert=True)
    return membership


def join_new(*, teams: Iterable[int], user: Any) -> None:
    """Make a user the first member of new teams, which are given by their keys."""
    Membership.objects.bulk_create([Membership(team_id=team, user=user) for team in teams])


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
