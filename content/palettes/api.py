# ruff: noqa: A002 (the addresses call it `id`)
"""The API of teams, their members and their palettes.

/teams/{id}/members/          list the members, or add one
/teams/{id}/members/{user}/   get or remove a member; a member may leave
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from ninja import Query
from pydantic import BaseModel, Field

from backoffice.kit.api.lists import list_response
from backoffice.kit.api.openapi import LOCATION
from backoffice.kit.api.problems import FieldError, InvalidError, ProblemError, ProblemOut
from backoffice.kit.api.resource import Values, Written
from backoffice.kit.api.responses import empty_response, json_response
from backoffice.kit.api.schemas import Body, Page, PageQuery, Text
from backoffice.kit.auth import require_action
from backoffice.kit.permissions import Action
from content.base.api import Resource, build_router
from content.palettes import services
from content.palettes.colors import Color
from content.palettes.models import Membership, Palette, Team
from content.palettes.people import user_named


class Teams(Resource):
    """Makes the creator of a team its first member, and refuses to delete a team that owns palettes."""

    def create(self, request: HttpRequest, values: Values) -> Written:
        with transaction.atomic():
            written = super().create(request, values)
            services.join(team=Team.objects.get(pk=written.row["id"]), user=request.user)
        return written

    def check_delete(self, request: HttpRequest, obj: Team) -> None:
        if number := obj.palettes.count():
            owned = f"{number} palette{'s' * (number > 1)}"
            raise ProblemError(409, f"This team owns {owned}. Give them to another team, or delete them first.")


teams = Teams(Team, path="teams", fields=("name",), sort=("-id", "name"), search=("name",))
palettes = Resource(
    Palette,
    path="palettes",
    fields=("team", "name", "colors"),
    parents={"team": teams},
    sort=("-id", "name"),
    search=("name",),
    types={"colors": list[Color]},
)
router = build_router(teams, palettes)


# --- members ---------------------------------------------------------------------------------------------------------
class MemberOut(BaseModel):
    user: str = Field(description="The user's name.")
    since: datetime


class MemberIn(Body):
    user: Text = Field(description="The name of an active user.", max_length=150)


@router.get(
    "/teams/{int:id}/members/",
    operation_id="palettes_members_list",
    summary="List the members of a team",
    description="Newest first.",
    response={200: Page[MemberOut]},
)
def list_members(request: HttpRequest, id: int, query: Query[PageQuery]) -> HttpResponseBase:
    members: Any = _members(request, id, "view").values("id", name=F("user__username"), when=F("since"))
    return list_response(query, members, convert=lambda rows: [{"user": r["name"], "since": r["when"]} for r in rows])


@router.post(
    "/teams/{int:id}/members/",
    operation_id="palettes_members_create",
    summary="Add a member to a team",
    response={201: MemberOut},
    openapi_extra=LOCATION,
)
def add_member(request: HttpRequest, id: int, data: MemberIn) -> HttpResponse:
    members = _members(request, id, "add")
    try:
        user = user_named(data.user)
    except ValidationError as error:
        raise InvalidError(FieldError("user", error.messages[0])) from error
    if members.filter(user=user).exists():
        raise ProblemError(409, f"{user} is a member already.")
    membership = services.join(team=Team.objects.get(pk=id), user=user)
    location = reverse("api:palettes_member", args=[id, membership.user.get_username()])
    return json_response(_as_json(membership), status=201, headers={"Location": location})


@router.get(
    "/teams/{int:id}/members/{user}/",
    url_name="palettes_member",
    operation_id="palettes_members_get",
    summary="Get a member of a team",
    response={200: MemberOut},
)
def get_member(request: HttpRequest, id: int, user: str) -> HttpResponse:
    return json_response(_as_json(_member(request, id, user, "view")))


@router.delete(
    "/teams/{int:id}/members/{user}/",
    operation_id="palettes_members_delete",
    summary="Remove a member from a team, or leave it",
    description="The last member can't be removed: 409.",
    response={204: None, 409: ProblemOut},
)
def remove_member(request: HttpRequest, id: int, user: str) -> HttpResponse:
    membership = _member(request, id, user, "delete")
    try:
        with transaction.atomic():
            membership.delete()
    except services.LastMemberError as error:
        raise ProblemError(409, error.messages[0]) from error
    return empty_response(204)


def _members(request: HttpRequest, team: int, action: Action) -> "QuerySet[Membership]":
    """Return the members of a team.

    Raises:
        ProblemError: 403: the user lacks a permission, which the problem names. 404: the team does not exist for the
            user.
    """
    require_action(request, Membership, action)
    teams.find(request, team)
    members: QuerySet[Membership] = Membership.objects.filter(team_id=team)
    return members


def _member(request: HttpRequest, team: int, name: str, action: Action) -> Membership:
    """Return a member of a team by name.

    Raises:
        ProblemError: as `_members`; 404 also if the team has no such member.
    """
    members = _members(request, team, action).select_related("user")
    membership = None if "\0" in name else members.filter(user__username=name).first()
    if membership is None:
        raise ProblemError(404, "The team has no member of this name.")
    return membership


def _as_json(membership: Membership) -> dict[str, object]:
    return {"user": membership.user.get_username(), "since": membership.since}
