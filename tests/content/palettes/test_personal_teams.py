"""A new user gets a personal team, whichever way they come; users of like names never collide."""

from functools import partial
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from backoffice.accounts.models import User
from content.palettes import services
from content.palettes.models import Membership, Team
from content.palettes.names import names_for
from tests.content.api_client import ApiClient
from tests.content.locks import at_once
from tests.content.pages import administrator
from tests.content.palettes.people import members

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough phrase"


def by_admin(monkeypatch):
    data = {"username": "newcomer", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert administrator().post(reverse("admin:accounts_user_add"), data).status_code == 302


def by_api(monkeypatch):
    client = ApiClient(User.objects.create_superuser("root"))
    answer = client.send("POST", "/api/accounts/users/", {"username": "newcomer", "password": PASSWORD})
    assert answer.status_code == 201, answer.content


def by_createsuperuser(monkeypatch):
    call_command("createsuperuser", "--noinput", "--username=newcomer", "--email=", stdout=StringIO())


def by_ensure_admin(monkeypatch):
    monkeypatch.setenv("BACKOFFICE_ADMIN_PASSWORD", PASSWORD)
    call_command("ensure_admin", "--name=newcomer", stdout=StringIO())


def by_ensure_client(monkeypatch):
    monkeypatch.setenv("CLIENT_PASSWORD", PASSWORD)
    call_command("ensure_client", "newcomer", "--password-env=CLIENT_PASSWORD", stdout=StringIO())


@pytest.mark.parametrize("door", [by_admin, by_api, by_createsuperuser, by_ensure_admin, by_ensure_client])
def test_a_new_user_gets_a_team_of_their_own(door, monkeypatch):
    door(monkeypatch)
    team = Team.objects.get(memberships__user__username="newcomer")
    assert (team.name, members(team)) == ("newcomer's team", {"newcomer"})
    assert Team.history.filter(id=team.pk).count() == 1


def test_a_user_who_is_saved_again_gets_no_second_team():
    user = User.objects.create_user("newcomer")
    user.first_name = "N"
    user.save()
    assert Membership.objects.filter(user=user).count() == 1


@pytest.mark.parametrize("taken", [["newcomer's team"], ["NEWCOMER'S team", "newcomer's team 2"]])
def test_a_name_that_is_taken_gets_a_number(taken):
    Team.objects.bulk_create([Team(name=name) for name in taken])
    User.objects.create_user("newcomer")
    assert Team.objects.get(memberships__user__username="newcomer").name == f"newcomer's team {len(taken) + 1}"


def test_when_all_names_are_taken_there_is_still_one():
    names = [*names_for("newcomer")]
    Team.objects.bulk_create([Team(name=name) for name in names])
    User.objects.create_user("newcomer")
    assert Team.objects.get(memberships__user__username="newcomer").name not in names


def test_the_longest_user_name_has_a_team():
    User.objects.create_user("x" * 150)
    assert Team.objects.get().name == f"{'x' * 150}'s team"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_teams_of_one_name_that_are_made_at_once_do_not_collide():
    """Renames both users' teams to be, so that both transactions ask for one name."""
    users = User.objects.bulk_create([User(username=f"u{number}", folded=f"u{number}") for number in range(4)])
    for user in users:
        user.username = "newcomer"
    at_once(*(partial(services.give_personal_team, user) for user in users))
    numbered = {f"newcomer's team{end}" for end in ("", " 2", " 3", " 4")}
    assert {*Team.objects.values_list("name", flat=True)} == numbered


def test_users_that_were_there_before_get_theirs():
    """The migration, with the models as it sees them."""
    User.objects.bulk_create([User(username=name, folded=name) for name in ("early", "bird")])  # no door for users
    Team.objects.create(name="EARLY'S TEAM")
    migration = import_module("content.palettes.migrations.0002_personal_teams")
    state = MigrationExecutor(connection).loader.project_state(("palettes", "0002_personal_teams"))
    migration.give_teams(state.apps, None)
    for username, name in (("early", "early's team 2"), ("bird", "bird's team")):
        membership = Membership.objects.select_related("team").get(user__username=username)
        assert membership.team.name == name
        assert Team.history.get(id=membership.team_id).instance == membership.team
        row = Membership.history.get(id=membership.pk)
        assert (row.team_id, row.user_id, row.since) == (membership.team_id, membership.user_id, membership.since)
