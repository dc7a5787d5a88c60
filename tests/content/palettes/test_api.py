"""Teams and palettes at the JSON API: each for its members, for everybody else as if it were not there."""

import pytest

from content.palettes.models import Membership, Palette, Team
from tests.content.api_client import ApiClient, errors
from tests.content.pages import person
from tests.content.palettes.people import BLUE, RED, members, palette, team_of

TEAMS, PALETTES = "/api/palettes/teams/", "/api/palettes/palettes/"


# --- teams -----------------------------------------------------------------------------------------------------------
def test_anybody_with_an_account_creates_a_team_and_is_its_first_member(member):
    answer = ApiClient(member).send("POST", TEAMS, {"name": "New"})
    team = Team.objects.get(name="New")
    assert (answer.status_code, answer.json()) == (201, {"id": team.pk, "name": "New"})
    assert answer["Location"] == f"{TEAMS}{team.pk}/"
    assert members(team) == {"member"}
    assert Membership.history.get(team_id=team.pk).history_user == member


def test_a_member_reads_and_changes_a_team(team, member):
    client, address = ApiClient(member), f"{TEAMS}{team.pk}/"
    assert client.get(address).json() == {"id": team.pk, "name": "Design"}
    assert client.send("PATCH", address, {"name": "Shape"}).json()["name"] == "Shape"
    assert client.send("PUT", address, {"name": "Form"}).json()["name"] == "Form"
    assert client.delete(address).status_code == 204
    assert not Team.objects.filter(pk=team.pk).exists()


def test_a_team_named_as_another_one_is_refused(team, outsider):
    answer = ApiClient(outsider).send("POST", TEAMS, {"name": "DESIGN"})
    assert (answer.status_code, errors(answer)) == (422, {"": "There is a team of this name already."})
    assert Team.objects.filter(memberships__user=outsider).count() == 1


@pytest.mark.parametrize(("number", "owned"), [(1, "1 palette"), (2, "2 palettes")])
def test_a_team_that_owns_palettes_is_not_deleted(team, member, number, owned):
    for index in range(number):
        palette(team, f"P{index}")
    answer = ApiClient(member).delete(f"{TEAMS}{team.pk}/")
    assert answer.status_code == 409
    assert f"This team owns {owned}." in answer.json()["detail"]
    assert Team.objects.filter(pk=team.pk).exists()


def test_an_account_that_is_switched_off_has_no_permissions(team, member):
    client = ApiClient(member)
    member.is_active = False
    member.save()
    assert client.get(TEAMS).status_code == 401
    assert not member.has_perm("palettes.view_team")


# --- palettes --------------------------------------------------------------------------------------------------------
def test_a_member_has_full_use_of_the_teams_palettes(team, member):
    client = ApiClient(member)
    made = client.send("POST", PALETTES, {"team": team.pk, "name": "Spring", "colors": ["#abc", "#0000ff"]})
    key = made.json()["id"]
    whole = {"id": key, "team": team.pk, "name": "Spring", "colors": ["#AABBCC", BLUE]}
    assert (made.status_code, made.json(), made["Location"]) == (201, whole, f"{PALETTES}{key}/")
    assert client.get(f"{PALETTES}{key}/").json() == whole
    assert client.send("PATCH", f"{PALETTES}{key}/", {"colors": ["#f00"]}).json()["colors"] == [RED]
    put = client.send("PUT", f"{PALETTES}{key}/", {"team": team.pk, "name": "May"})
    assert put.json() == {"id": key, "team": team.pk, "name": "May", "colors": []}
    assert client.get(PALETTES).json()["items"] == [put.json()]
    assert client.get(f"{TEAMS}{team.pk}/palettes/").json()["items"] == [put.json()]
    assert client.delete(f"{PALETTES}{key}/").status_code == 204
    assert not Palette.objects.exists()


@pytest.mark.parametrize(
    ("colors", "message"),
    [
        (["#123", "red"], "Color 2: “red” is not a color; write #RGB or #RRGGBB."),
        (["#1234"], "Color 1: “#1234” is not a color; write #RGB or #RRGGBB."),
        (["#123"] * 65, "These are 65 colors; at most 64 are allowed."),
    ],
)
def test_wrong_colors_are_named(team, member, colors, message):
    answer = ApiClient(member).send("POST", PALETTES, {"team": team.pk, "name": "N", "colors": colors})
    assert (answer.status_code, errors(answer)) == (422, {"colors": message})


@pytest.mark.parametrize("colors", ["#123", None, [1], {"a": 1}])
def test_colors_must_be_a_list_of_texts(team, member, colors):
    answer = ApiClient(member).send("POST", PALETTES, {"team": team.pk, "name": "N", "colors": colors})
    assert answer.status_code == 422
    assert all(name.startswith("colors") for name in errors(answer))


def test_two_palettes_of_a_team_have_two_names(spring, member):
    client = ApiClient(member)
    answer = client.send("POST", PALETTES, {"team": spring.team_id, "name": "Spring"})
    assert (answer.status_code, errors(answer)) == (422, {"": "The team has a palette of this name already."})
    other = team_of(member, name="Other")
    assert client.send("POST", PALETTES, {"team": other.pk, "name": "Spring"}).status_code == 201


# --- what belongs to others does not exist ---------------------------------------------------------------------------
METHODS = [("GET", None), ("PUT", {"name": "N", "team": 1}), ("PATCH", {"name": "N"}), ("DELETE", None)]


@pytest.mark.parametrize(("method", "body"), METHODS)
def test_a_foreign_palette_is_answered_as_one_that_is_not_there(spring, outsider, method, body):
    client = ApiClient(outsider)
    answer = client.send(method, f"{PALETTES}{spring.pk}/", body or {})
    absent = client.send(method, f"{PALETTES}{spring.pk + 1000}/", body or {})
    assert answer.status_code == absent.status_code == 404
    assert answer.json()["detail"] == absent.json()["detail"].replace(str(spring.pk + 1000), str(spring.pk))
    spring.refresh_from_db()
    assert spring.name == "Spring"


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("PUT", {"name": "N"}), ("PATCH", {"name": "N"}), ("DELETE", None)]
)
@pytest.mark.parametrize("rest", ["", "palettes/"])
def test_a_foreign_team_is_answered_as_one_that_is_not_there(team, outsider, method, body, rest):
    if rest and method != "GET":
        method, body = "POST", {"name": "N"}
    answer = ApiClient(outsider).send(method, f"{TEAMS}{team.pk}/{rest}", body or {})
    assert answer.status_code == 404
    assert Team.objects.get(pk=team.pk).name == "Design"


def test_lists_counts_filters_and_search_hold_nothing_of_others(spring, outsider):
    client = ApiClient(outsider)
    for query in ("", "?all=true", f"?team={spring.team_id}", "?name=Spring", "?search=spring", "?sort=name"):
        assert b"Spring" not in client.get(f"{PALETTES}{query}").getvalue(), query
    assert client.get(f"{PALETTES}?count=true").json() == {"items": [], "next": None, "count": 0}
    own = {"items": [{"id": outsider.memberships.get().team_id, "name": "outsider's team"}], "next": None, "count": 1}
    assert client.get(f"{TEAMS}?count=true").json() == own
    assert client.get(f"{TEAMS}?search=design").json()["items"] == []


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_foreign_team_as_owner_is_refused_as_one_that_is_not_there(spring, outsider, method):
    """Also where its palette has the same name, which nobody else is to learn."""
    mine = palette(outsider.memberships.get().team, "Mine")
    client, address = ApiClient(outsider), PALETTES if method == "POST" else f"{PALETTES}{mine.pk}/"

    def said(team):
        answer = client.send(method, address, {"name": "Spring", "team": team})
        assert answer.status_code == 422
        return errors(answer)

    absent = spring.team_id + 1000
    foreign = said(spring.team_id)
    assert [*foreign] == ["team"]
    assert said(absent) == {"team": foreign["team"].replace(str(spring.team_id), str(absent))}


def test_whoever_may_see_all_teams_sees_and_edits_all(spring):
    for user in (person("program", "palettes.view_all_teams"), person("root")):
        user.is_superuser = user.username == "root"
        user.save()
        client = ApiClient(user)
        assert client.get(f"{PALETTES}{spring.pk}/").json()["name"] == "Spring"
        assert client.send("PATCH", f"{PALETTES}{spring.pk}/", {"name": user.username}).status_code == 200
        assert client.get(f"{TEAMS}{spring.team_id}/members/").status_code == 200
        spring.refresh_from_db()
        spring.name = "Spring"
        spring.save()


def test_nobody_may_see_all_teams_by_having_an_account(member):
    assert member.has_perm("palettes.change_palette")
    assert member.has_module_perms("palettes")
    assert not member.has_perm("palettes.view_all_teams")
    assert not member.has_perm("news.view_post")
    assert not member.has_module_perms("news")


def test_a_former_member_sees_nothing_any_more(spring, member, outsider):
    Membership.objects.create(team=spring.team, user=outsider)
    assert ApiClient(outsider).get(f"{PALETTES}{spring.pk}/").status_code == 200
    Membership.objects.get(team=spring.team, user=outsider).delete()
    assert ApiClient(outsider).get(f"{PALETTES}{spring.pk}/").status_code == 404
