"""People, their teams, and the clients that they come with."""

from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from backoffice.accounts.models import User
from content.palettes.models import Membership, Palette, Team
from tests.content.api_client import ApiClient

RED, BLUE = "#FF0000", "#0000FF"


def person(name: str, *permissions: str) -> User:
    """Somebody with an account, who may open the admin, and has these permissions of their own, `app.codename`."""
    user = User.objects.create_user(name, is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def api(user: User) -> ApiClient:
    return ApiClient(user)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def team_of(*users: User, name: str = "Design") -> Team:
    team = Team.objects.create(name=name)
    Membership.objects.bulk_create([Membership(team=team, user=user) for user in users])
    return team


def palette(team: Team, name: str = "Spring", colors: Any = (RED, BLUE)) -> Palette:
    return Palette.objects.create(team=team, name=name, colors=list(colors))


def members(team: Team) -> set[str]:
    return {*Membership.objects.filter(team=team).values_list("user__username", flat=True)}
