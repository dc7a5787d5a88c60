# ruff: noqa: A002 (the addresses call it `id`)
"""Teams, who is in them, and the palettes that they own.

/teams/{id}/members/, /teams/{id}/members/{user}/   a member adds and removes others, and may leave
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query
from pydantic import BaseModel, Field

from backoffice.kit.api.pagination import page
from backoffice.kit.api.problems import FieldError, Invalid, Problem, ProblemOut
from backoffice.kit.api.responses import empty_response, json_response
from backoffice.kit.api.schemas import Body, Text
from backoffice.kit.auth import require_action
from backoffice.kit.permissions import Action
from content.base.api import Endpoint, build_router
from content.base.documentation import LOCATION
from content.base.endpoint import Values, Written
from content.base.listing import refuse_unknown
from content.palettes import services
from content.palettes.colors import Color
from content.palettes.models import Membership, Palette, Team
from content.palettes.people import user_named


class TeamEndpoint(Endpoint):
    """Who creates a team is its first member. A team that owns palettes stays."""

    def create(self, request: HttpRequest, values: Values) -> Written:
        with transaction.atomic():
            made = super().create(request, values)
            services.join(team=Team.objects.get(pk=made.row["id"]), user=request.user)
        return made

    def check_delete(self, request: HttpRequest, obj: Team) -> None:
        if number := obj.palettes.count():
            owned = "1 palette" if number == 1 else f"{number} palettes"
            raise Problem(409, f"This team owns {owned}. Give them to another team, or delete them first.")


teams = TeamEndpoint(Team, path="teams", fields=("name",), order=("-id", "name"), search=("name",))
palettes = Endpoint(
    Palette,
    path="palettes",
    fields=("team", "name", "colors"),
    parents={"team": teams},
    order=("-id", "name"),
    search=("name",),
    types={"colors": list[Color]},
)
router = build_router(teams, palettes)

# --- members ---------------------------------------------------------------------------------------------------------

ERRORS = dict.fromkeys((401, 403, 404), ProblemOut)


class MemberOut(BaseModel):
    user: str = Field(description="The user's name.")
    since: datetime


class MembersPage(BaseModel):
    items: list[MemberOut]
    next: str | None


class MemberIn(Body):
    user: Text = Field(description="The name of an active user.", max_length=150)


class MembersQuery(BaseModel):
    limit: int = Field(default=50, ge=1, le=500, description="Members a page.")
    cursor: Text | None = Field(default=None, description="`next` of the page before.")


@router.get(
    "/teams/{int:id}/members/",
    operation_id="palettes_members_list",
    summary="List the members of a team",
    description="Those who came last come first.",
    response={200: MembersPage, 422: ProblemOut} | ERRORS,
)
def list_members(request: HttpRequest, id: int, query: Query[MembersQuery]) -> HttpResponse:
    rows = _members(request, id, "view").values("id", name=F("user__username"), when=F("since"))
    refuse_unknown(request, query)
    found, following = page(rows, limit=query.limit, cursor=query.cursor)
    items = [{"user": row["name"], "since": row["when"]} for row in found]
    return json_response({"items": items, "next": following})


@router.post(
    "/teams/{int:id}/members/",
    operation_id="palettes_members_create",
    summary="Add a member to a team",
    response={201: MemberOut, 400: ProblemOut, 409: ProblemOut, 422: ProblemOut} | ERRORS,
    openapi_extra=LOCATION,
)
def add_member(request: HttpRequest, id: int, data: MemberIn) -> HttpResponse:
    members = _members(request, id, "add")
    try:
        user = user_named(data.user)
    except ValidationError as error:
        raise Invalid(FieldError("user", error.messages[0])) from error
    if members.filter(user=user).exists():
        raise Problem(409, f"{user} is a member already.")
    made = services.join(team=Team.objects.get(pk=id), user=user)
    namespace = request.resolver_match.namespace if request.resolver_match else ""
    location = reverse(f"{namespace}:palettes_member", args=[id, made.user.get_username()])
    return json_response(_shown(made), status=201, headers={"Location": location})


@router.get(
    "/teams/{int:id}/members/{user}/",
    url_name="palettes_member",
    operation_id="palettes_members_get",
    summary="Get a member of a team",
    response={200: MemberOut} | ERRORS,
)
def get_member(request: HttpRequest, id: int, user: str) -> HttpResponse:
    return json_response(_shown(_member(request, id, user, "view")))


@router.delete(
    "/teams/{int:id}/members/{user}/",
    operation_id="palettes_members_delete",
    summary="Remove a member from a team, or leave it",
    description="The last member can't be removed: 409.",
    response={204: None, 409: ProblemOut} | ERRORS,
)
def remove_member(request: HttpRequest, id: int, user: str) -> HttpResponse:
    membership = _member(request, id, user, "delete")
    try:
        services.leave(membership=membership)
    except services.LastMember as error:
        raise Problem(409, error.messages[0]) from error
    return empty_response(204)


def _members(request: HttpRequest, team: int, action: Action) -> Any:
    """The members of a team that exists for the user.

    Raises:
        Problem: 403, naming the permission; 404.
    """
    require_action(request, Membership, action)
    if not teams.visible(request).filter(pk=team).exists():
        raise teams.missing(team)
    return Membership.objects.filter(team_id=team)


def _member(request: HttpRequest, team: int, name: str, action: Action) -> Membership:
    members = _members(request, team, action).select_related("user")
    found: Membership | None = None if "\0" in name else members.filter(user__username=name).first()
    if found is None:
        raise Problem(404, "The team has no member of this name.")
    return found


def _shown(membership: Membership) -> dict[str, Any]:
    return {"user": membership.user.get_username(), "since": membership.since}
