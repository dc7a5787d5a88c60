"""Teams with members and palettes."""

from typing import Any

from backoffice.accounts.models import User
from content.palettes.models import Membership, Palette, Team

# What members don't have by being members.
FILES = [f"palettes.{verb}_{model}" for verb in ("import", "export") for model in ("team", "membership", "palette")]
RED, BLUE = "#FF0000", "#0000FF"


def team_of(*users: User, name: str = "Design") -> Team:
    team = Team.objects.create(name=name)
    Membership.objects.bulk_create([Membership(team=team, user=user) for user in users])
    return team


def palette(team: Team, name: str = "Spring", colors: Any = (RED, BLUE)) -> Palette:
    return Palette.objects.create(team=team, name=name, colors=list(colors))


def members(team: Team) -> set[str]:
    return {*Membership.objects.filter(team=team).values_list("user__username", flat=True)}
