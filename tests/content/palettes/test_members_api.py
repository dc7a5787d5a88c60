"""A member adds and removes others; everybody may leave; the last one may not."""

from functools import partial

import pytest

from backoffice.accounts.models import User
from content.palettes.models import Membership
from tests.content.api_client import ApiClient, errors
from tests.content.locks import at_once
from tests.content.pages import person
from tests.content.palettes.people import members, team_of


def address(team, user=""):
    return f"/api/palettes/teams/{team.pk}/members/" + (f"{user}/" if user else "")


@pytest.fixture
def pair(team, outsider):
    """The team, which the outsider joined."""
    Membership.objects.create(team=team, user=outsider)
    return team


def test_a_member_lists_the_members(pair, member):
    found = ApiClient(member).get(address(pair)).json()
    since = {one.user.username: one.since for one in pair.memberships.all()}
    assert [row["user"] for row in found["items"]] == ["outsider", "member"]
    assert found["items"][0]["since"][:19] == since["outsider"].isoformat()[:19]
    assert found["next"] is None


def test_many_members_come_in_pages(pair, member):
    first = ApiClient(member).get(f"{address(pair)}?limit=1").json()
    second = ApiClient(member).get(f"{address(pair)}?limit=1&cursor={first['next']}").json()
    assert [page["items"][0]["user"] for page in (first, second)] == ["outsider", "member"]
    assert second["next"] is None


def test_an_unknown_parameter_is_refused(team, member):
    assert ApiClient(member).get(f"{address(team)}?user=member").status_code == 422


def test_a_member_adds_another(team, member, outsider):
    answer = ApiClient(member).send("POST", address(team), {"user": "outsider"})
    assert (answer.status_code, answer.json()["user"]) == (201, "outsider")
    assert answer["Location"] == address(team, "outsider")
    assert ApiClient(outsider).get(answer["Location"]).json() == answer.json()
    assert Membership.history.get(team_id=team.pk, user_id=outsider.pk).history_user == member


@pytest.mark.parametrize("name", ["nobody", "", "a\0b", "retired"])
def test_somebody_who_is_not_there_is_not_added(team, member, name):
    User.objects.create_user("retired", is_active=False)
    answer = ApiClient(member).send("POST", address(team), {"user": name})
    assert (answer.status_code, {*errors(answer)}) == (422, {"user"})


def test_a_member_is_not_added_twice(pair, member):
    answer = ApiClient(member).send("POST", address(pair), {"user": "outsider"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "outsider is a member already.")


def test_a_member_removes_another(pair, member, outsider):
    assert ApiClient(member).delete(address(pair, "outsider")).status_code == 204
    assert members(pair) == {"member"}
    row = Membership.history.filter(team_id=pair.pk, history_type="-").get()
    assert (row.user_id, row.history_user) == (outsider.pk, member)


def test_everybody_may_leave(pair, outsider):
    assert ApiClient(outsider).delete(address(pair, "outsider")).status_code == 204
    assert members(pair) == {"member"}


def test_the_last_member_may_not_leave(team, member):
    answer = ApiClient(member).delete(address(team, "member"))
    assert answer.status_code == 409
    assert answer.json()["detail"] == "member is the last member, who can't leave; delete the team instead."
    assert members(team) == {"member"}


@pytest.mark.parametrize("name", ["outsider", "nobody", "%00"])
def test_a_user_who_is_not_a_member_is_not_found(team, member, name):
    person("outsider")
    for method in ("GET", "DELETE"):
        assert ApiClient(member).send(method, address(team, name), {}).status_code == 404


def test_nobody_joins_or_looks_into_a_foreign_team(team, member, outsider):
    client = ApiClient(outsider)
    assert client.get(address(team)).status_code == 404
    assert client.send("POST", address(team), {"user": "outsider"}).status_code == 404
    assert client.get(address(team, "member")).status_code == 404
    assert client.delete(address(team, "member")).status_code == 404
    assert members(team) == {"member"}


def test_whoever_sees_all_teams_adds_and_removes_members(team):
    client = ApiClient(User.objects.create_superuser("root"))
    assert client.send("POST", address(team), {"user": "root"}).status_code == 201
    assert client.delete(address(team, "member")).status_code == 204
    assert members(team) == {"root"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_of_two_last_members_who_leave_at_once_one_stays(attempt):
    users = [User.objects.create_user(name) for name in ("first", "second")]
    team = team_of(*users)
    answers = at_once(*(partial(ApiClient(user).delete, address(team, user.username)) for user in users))
    # Whoever comes second may be a member no longer.
    assert sorted(answer.status_code for answer in answers) in ([204, 409], [204, 404])
    assert Membership.objects.filter(team=team).count() == 1
