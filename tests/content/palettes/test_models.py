"""Names of teams and palettes, and memberships as content with history."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from content.palettes import services
from content.palettes.models import Membership, Palette, Team
from tests.content.pages import person
from tests.content.palettes.people import members, palette, team_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["Design", "design", "DESIGN"])
def test_a_teams_name_is_unique_whatever_its_case(team, name):
    with pytest.raises(ValidationError, match=r"There is a team of this name already\."):
        Team(name=name).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.create(name=name)


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "a\0b"])
def test_names_have_1_to_255_characters(team, name):
    for obj in (Team(name=name), Palette(team=team, name=name)):
        with pytest.raises(ValidationError) as error:
            obj.full_clean()
        assert "name" in error.value.message_dict


def test_a_name_may_have_255_characters(team):
    Team(name="x" * 255).full_clean()
    Palette(team=team, name="x" * 255).full_clean()


def test_a_palettes_name_is_unique_in_its_team_only(spring, member):
    with pytest.raises(ValidationError, match=r"The team has a palette of this name already\."):
        Palette(team=spring.team, name="Spring").full_clean()
    other = Palette(team=team_of(member, name="Other"), name="Spring")
    other.full_clean()
    other.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        palette(spring.team)


def test_nobody_is_a_member_twice(team, member):
    with pytest.raises(ValidationError, match=r"This user is a member already\."):
        services.join(team=team, user=member)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(team=team, user=member)


@pytest.mark.parametrize("field", ["user", "team"])
def test_a_membership_is_never_anothers(team, outsider, field):
    membership = Membership.objects.get(team=team)
    setattr(membership, field, {"user": outsider, "team": team_of(outsider, name="Other")}[field])
    with pytest.raises(ValidationError, match="can't be changed"):
        membership.full_clean()


def leave(team):
    Membership.objects.get(team=team).delete()


def leave_by_queryset(team):
    Membership.objects.filter(team=team).delete()


@pytest.mark.parametrize("door", [leave, leave_by_queryset])
def test_the_last_member_stays(team, door):
    with (
        pytest.raises(services.LastMemberError, match="member is the last member, who can't leave"),
        transaction.atomic(),
    ):
        door(team)
    assert members(team) == {"member"}
    assert not Membership.history.filter(team_id=team.pk, history_type="-").exists()


def test_two_members_can_not_be_removed_together(team, outsider):
    services.join(team=team, user=outsider)
    with pytest.raises(services.LastMemberError), transaction.atomic():
        leave_by_queryset(team)
    assert members(team) == {"member", "outsider"}


def test_a_team_goes_with_its_members(team, member):
    key = team.pk
    team.delete()
    assert not Membership.objects.filter(team_id=key).exists()
    assert Membership.history.filter(team_id=key, history_type="-").count() == 1


def test_a_team_that_owns_palettes_stays(spring):
    with pytest.raises(ProtectedError), transaction.atomic():
        spring.team.delete()
    assert Team.objects.filter(pk=spring.team_id).exists()


def test_an_account_can_be_deleted_though_it_is_the_last_member(team, member):
    member.delete()
    assert members(team) == set()
    assert Team.objects.filter(pk=team.pk).exists()


def test_a_membership_shows_the_user_and_not_the_team():
    user = person("reader")
    assert str(Membership.objects.get(user=user)) == "reader"
