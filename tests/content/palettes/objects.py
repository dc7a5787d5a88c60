"""What the doors of `tests.content.doors` need to know of teams and palettes."""

from typing import Any

from backoffice.accounts.models import User
from content.palettes.models import Membership, Team

NEVER_CHANGED = {"Membership"}


def fill() -> None:
    """People who are in none of the samples' teams."""
    for number in range(2):
        User.objects.create_user(f"newcomer{number}")


def new(model: Any, number: int) -> Any:
    if model is not Membership:
        return None
    return Membership(team=Team.objects.get(name="Brand"), user=User.objects.get(username=f"newcomer{number}"))


def deletable(model: Any) -> Any:
    """Of two members one may leave."""
    return (
        Membership.objects.filter(team__memberships__user__username="api", user__username="administrator")
        if model is Membership
        else None
    )
