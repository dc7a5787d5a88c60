"""Teams and palettes in the admin, and in files: the same rules as at the API."""

from random import Random

import pytest

from backoffice.accounts.models import User
from backoffice.kit.urls import admin_url
from content.palettes import samples
from content.palettes.models import Membership, Palette, Team
from content.palettes.swatches import swatches
from tests.content.files import FORMATS, export, load, preview
from tests.content.locks import asked_meanwhile
from tests.content.pages import browser, form_of, person
from tests.content.palettes.people import BLUE, RED, members, palette, team_of


def delete_page(client, obj):
    return client.post(admin_url(type(obj), "delete", obj.pk), {"post": "yes"})


def delete_action(client, obj):
    form = {"action": "delete_selected", "_selected_action": [str(obj.pk)], "post": "yes"}
    return client.post(admin_url(type(obj), "changelist"), form)


@pytest.fixture
def client(member):
    """The member's browser: no permission was given to them by anybody."""
    return browser(member)


def sent(client, address, form="team_form", **changes):
    return client.post(address, form_of(client.get(address), form) | changes)


# --- teams -----------------------------------------------------------------------------------------------------------
def test_the_user_who_adds_a_team_is_its_first_member(client):
    assert sent(client, admin_url(Team, "add"), name="New").status_code == 302
    assert members(Team.objects.get(name="New")) == {"member"}


def test_the_user_who_adds_a_team_may_name_themselves_too(client, outsider):
    people = {"memberships-TOTAL_FORMS": "2", "memberships-0-user": "member", "memberships-1-user": "outsider"}
    assert sent(client, admin_url(Team, "add"), name="New", **people).status_code == 302
    assert members(Team.objects.get(name="New")) == {"member", "outsider"}


def add_member(client, team, name):
    return sent(
        client, admin_url(Team, "change", team.pk), **{"memberships-TOTAL_FORMS": "2", "memberships-1-user": name}
    )


def test_a_member_adds_another_on_the_teams_page(client, team, outsider, member):
    assert add_member(client, team, "outsider").status_code == 302
    assert members(team) == {"member", "outsider"}
    assert Membership.history.get(team_id=team.pk, user_id=outsider.pk).history_user == member


NOT_ADDED = [("nobody", "There is no user “nobody”."), ("member", "This user is a member already.")]


@pytest.mark.parametrize(("name", "message"), NOT_ADDED)
def test_a_user_that_can_not_be_added_is_named(client, team, name, message):
    answer = add_member(client, team, name)
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert members(team) == {"member"}


def test_the_teams_page_does_not_list_all_users(client, team, outsider):
    assert "outsider" not in client.get(admin_url(Team, "change", team.pk)).content.decode()


def test_a_member_removes_another_on_the_teams_page(client, team, outsider):
    Membership.objects.create(team=team, user=outsider)
    answer = sent(client, admin_url(Team, "change", team.pk), **{"memberships-0-DELETE": "on"})  # newest first
    assert answer.status_code == 302
    assert members(team) == {"member"}


def test_the_last_member_can_not_be_removed_on_the_teams_page(client, team):
    answer = sent(client, admin_url(Team, "change", team.pk), **{"memberships-0-DELETE": "on"})
    assert answer.status_code == 200
    assert "member is the last member, who can&#x27;t leave" in answer.content.decode()
    assert members(team) == {"member"}


def test_another_member_may_take_the_place_of_the_last(client, team, outsider):
    people = {"memberships-0-DELETE": "on", "memberships-TOTAL_FORMS": "2", "memberships-1-user": "outsider"}
    assert sent(client, admin_url(Team, "change", team.pk), **people).status_code == 302
    assert members(team) == {"outsider"}


def test_an_untouched_team_page_writes_nothing(client, team, outsider):
    Membership.objects.create(team=team, user=outsider)
    outsider.is_active = False  # may not be added any more, and stays
    outsider.save()
    counts = Team.history.count(), Membership.history.count()
    assert sent(client, admin_url(Team, "change", team.pk)).status_code == 302
    assert (Team.history.count(), Membership.history.count()) == counts


def test_a_team_that_owns_palettes_is_not_deleted(client, spring):
    for delete in (delete_page, delete_action):
        assert delete(client, spring.team).status_code in (200, 302, 403)
        assert Team.objects.filter(pk=spring.team_id).exists()
    assert "Spring" in client.get(admin_url(Team, "delete", spring.team_id)).content.decode()


def test_a_team_without_palettes_is_deleted(client, team):
    assert delete_page(client, team).status_code == 302
    assert not Team.objects.filter(pk=team.pk).exists()


# --- memberships -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("door", [delete_page, delete_action])
def test_the_last_membership_can_not_be_deleted(client, team, door):
    assert "last member" in door(client, Membership.objects.get(team=team)).content.decode()
    assert members(team) == {"member"}


@pytest.mark.parametrize("door", [delete_page, delete_action])
def test_a_membership_is_deleted_while_another_stays(client, team, outsider, door):
    assert door(client, Membership.objects.create(team=team, user=outsider)).status_code == 302
    assert members(team) == {"member"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", [delete_page, delete_action])
def test_a_member_whom_all_others_left_meanwhile_stays(door):
    last, other = person("last"), person("other")
    team = team_of(last, other)
    stays, goes = (Membership.objects.get(team=team, user=user) for user in (last, other))

    client = browser(last)
    assert asked_meanwhile(lambda: door(client, stays), goes.delete).status_code == 302
    assert "last member" in client.get(admin_url(Membership, "changelist")).content.decode()
    assert members(team) == {"last"}


def test_a_membership_is_added_by_name_and_not_changed(client, team, outsider):
    assert (
        sent(client, admin_url(Membership, "add"), "membership_form", team=team.pk, user="outsider").status_code == 302
    )
    made = Membership.objects.get(team=team, user=outsider)
    shown = client.get(admin_url(Membership, "change", made.pk))
    assert shown.status_code == 200
    assert not shown.context["has_change_permission"]
    assert client.post(admin_url(Membership, "change", made.pk), {"user": "member"}).status_code == 403


# --- palettes --------------------------------------------------------------------------------------------------------
def test_a_palette_is_made_and_changed_on_its_form(client, team):
    values = {"team": team.pk, "name": "Spring", "colors": "#abc, #0000ff\r\n#123"}
    assert sent(client, admin_url(Palette, "add"), "palette_form", **values).status_code == 302
    made = Palette.objects.get()
    assert made.colors == ["#AABBCC", BLUE, "#112233"]
    address = admin_url(Palette, "change", made.pk)
    assert form_of(client.get(address), "palette_form")["colors"] == "#AABBCC #0000FF #112233"
    assert sent(client, address, "palette_form", colors="").status_code == 302
    assert Palette.objects.get().colors == []


def test_a_wrong_color_is_named_on_the_form(client, spring):
    answer = sent(client, admin_url(Palette, "change", spring.pk), "palette_form", colors="#123 rot #12")
    assert [*answer.context["adminform"].form.errors["colors"]] == [
        "Color 2: “rot” is not a color; write #RGB or #RRGGBB.",
        "Color 3: “#12” is not a color; write #RGB or #RRGGBB.",
    ]
    assert form_of(answer, "palette_form")["colors"] == "#123 rot #12"
    assert Palette.objects.get().colors == [RED, BLUE]


@pytest.mark.parametrize("colors", [None, "#f00,#00F"])
def test_the_same_colors_write_nothing(client, spring, colors):
    changes = {} if colors is None else {"colors": colors}
    assert sent(client, admin_url(Palette, "change", spring.pk), "palette_form", **changes).status_code == 302
    assert Palette.history.count() == 1


def test_colors_that_somebody_else_changed_meanwhile_are_shown_first(client, spring):
    address = admin_url(Palette, "change", spring.pk)
    form = form_of(client.get(address), "palette_form") | {"colors": "#123"}
    Palette.objects.update(colors=["#00FF00"])
    answer = client.post(address, form)
    assert "It is now: “#00FF00”" in answer.content.decode()
    assert Palette.objects.get().colors == ["#00FF00"]


def test_lists_show_colors_as_squares(client, spring):
    text = client.get(admin_url(Palette, "changelist")).content.decode()
    assert f'fill="{RED}"' in text
    assert f"<title>{BLUE}</title>" in text


@pytest.mark.parametrize(("number", "size"), [(1, (21, 21)), (12, (252, 21)), (13, (252, 42)), (64, (252, 126))])
def test_squares_stand_twelve_in_a_row(number, size):
    assert 'width="{}" height="{}"'.format(*size) in swatches([RED] * number)
    assert swatches([RED] * number).count("<rect") == number


def test_the_history_shows_what_became_of_the_colors(client, spring):
    spring.colors = [RED]
    spring.save()
    assert BLUE in client.get(admin_url(Palette, "history", spring.pk)).content.decode()


# --- files -----------------------------------------------------------------------------------------------------------
def test_the_user_who_imports_a_team_is_its_first_member(client):
    load(client, Team, "name\nNew\n")
    assert members(Team.objects.get(name="New")) == {"member"}


def test_a_member_adds_others_by_import(client, team, outsider):
    load(client, Membership, f"team,user\n{team.pk},outsider\n")
    assert members(team) == {"member", "outsider"}


@pytest.mark.parametrize(("rest", "message"), [*NOT_ADDED, ("", "There is no user “”.")])
def test_an_import_names_a_user_that_can_not_be_added(client, team, rest, message):
    assert message in preview(client, Membership, f"team,user\n{team.pk},{rest}\n").content.decode()
    assert members(team) == {"member"}


def test_an_import_changes_no_membership(client, team, outsider):
    made = Membership.objects.get(team=team)
    answer = preview(client, Membership, f"id,team,user\n{made.pk},{team.pk},outsider\n")
    assert "can&#x27;t be changed" in answer.content.decode()
    assert members(team) == {"member"}


@pytest.mark.parametrize("cell", ["#abc #0000ff", '"#abc,#0000ff"', '"#abc, #0000ff"'])
def test_colors_are_imported_from_one_cell(client, team, cell):
    load(client, Palette, f"team,name,colors\n{team.pk},Spring,{cell}\n")
    assert Palette.objects.get().colors == ["#AABBCC", BLUE]


def test_an_import_names_the_wrong_color(client, team):
    text = preview(client, Palette, f"team,name,colors\n{team.pk},Spring,#abc rot\n").content.decode()
    assert "Color 2: “rot” is not a color; write #RGB or #RRGGBB." in text


@pytest.mark.parametrize("kind", FORMATS)
def test_an_export_comes_back_as_no_change(client, spring, kind):
    palette(spring.team, "Empty", colors=[])
    content = export(client, Palette, kind)
    if kind == "csv":
        assert b"Spring,#FF0000 #0000FF" in content
    before = Palette.history.count()
    load(client, Palette, content, kind)
    assert Palette.history.count() == before


# --- samples ---------------------------------------------------------------------------------------------------------
def test_samples_belong_to_the_administrators(db):
    User.objects.create_superuser("root")
    assert samples.is_empty()
    samples.create(Random(1))
    assert not samples.is_empty()
    assert Palette.objects.count() == 40
    assert {name for team in Team.objects.filter(name__in=samples.TEAMS) for name in members(team)} == {"root"}
    assert all(4 <= len(one.colors) <= 8 for one in Palette.objects.all())


def test_personal_teams_alone_are_no_content(member):
    assert samples.is_empty()
    team_of(member, name=samples.TEAMS[0])
    assert not samples.is_empty()
