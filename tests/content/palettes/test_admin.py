"""Teams and palettes in the admin, and in files: the same rules as at the API."""

from threading import Thread

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.urls import reverse

from content.palettes import samples
from content.palettes.models import Membership, Palette, Team
from content.palettes.swatches import swatches
from tests.content.locks import blocked_sessions
from tests.content.pages import form_of
from tests.content.palettes.people import BLUE, RED, browser, members, palette, person, team_of
from tests.flows.wait import until


def page(model, name, *args):
    return reverse(f"admin:palettes_{model}_{name}", args=args)


@pytest.fixture
def client(member):
    """The member's browser: no permission was given to them by anybody."""
    return browser(member)


def sent(client, address, form="team_form", **changes):
    return client.post(address, form_of(client.get(address), form) | changes)


# --- teams -----------------------------------------------------------------------------------------------------------
def test_who_adds_a_team_is_its_first_member(client):
    assert sent(client, page("team", "add"), name="New").status_code == 302
    assert members(Team.objects.get(name="New")) == {"member"}


def test_who_adds_a_team_may_name_themselves_too(client, outsider):
    people = {"memberships-TOTAL_FORMS": "2", "memberships-0-user": "member", "memberships-1-user": "outsider"}
    assert sent(client, page("team", "add"), name="New", **people).status_code == 302
    assert members(Team.objects.get(name="New")) == {"member", "outsider"}


def add_member(client, team, name):
    return sent(client, page("team", "change", team.pk), **{"memberships-TOTAL_FORMS": "2", "memberships-1-user": name})


def test_a_member_adds_another_on_the_teams_page(client, team, outsider, member):
    assert add_member(client, team, "outsider").status_code == 302
    assert members(team) == {"member", "outsider"}
    assert Membership.history.get(team_id=team.pk, user_id=outsider.pk).history_user == member


@pytest.mark.parametrize(
    ("name", "message"),
    [("nobody", "There is no user “nobody”."), ("member", "This user is a member already.")],
)
def test_who_can_not_be_added_is_named(client, team, name, message):
    answer = add_member(client, team, name)
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert members(team) == {"member"}


def test_the_teams_page_does_not_list_all_users(client, team, outsider):
    assert "outsider" not in client.get(page("team", "change", team.pk)).content.decode()


def test_a_member_removes_another_on_the_teams_page(client, team, outsider):
    Membership.objects.create(team=team, user=outsider)
    answer = sent(client, page("team", "change", team.pk), **{"memberships-0-DELETE": "on"})  # newest first
    assert answer.status_code == 302
    assert members(team) == {"member"}


def test_the_last_member_can_not_be_removed_on_the_teams_page(client, team):
    answer = sent(client, page("team", "change", team.pk), **{"memberships-0-DELETE": "on"})
    assert answer.status_code == 200
    assert "member is the last member, who can&#x27;t leave" in answer.content.decode()
    assert members(team) == {"member"}


def test_another_member_may_take_the_place_of_the_last(client, team, outsider):
    people = {"memberships-0-DELETE": "on", "memberships-TOTAL_FORMS": "2", "memberships-1-user": "outsider"}
    assert sent(client, page("team", "change", team.pk), **people).status_code == 302
    assert members(team) == {"outsider"}


def test_an_untouched_team_page_writes_nothing(client, team, outsider):
    Membership.objects.create(team=team, user=outsider)
    outsider.is_active = False  # may not be added any more, and stays
    outsider.save()
    counts = Team.history.count(), Membership.history.count()
    assert sent(client, page("team", "change", team.pk)).status_code == 302
    assert (Team.history.count(), Membership.history.count()) == counts


def test_a_team_that_owns_palettes_is_not_deleted(client, spring):
    for answer in (
        client.post(page("team", "delete", spring.team_id), {"post": "yes"}),
        client.post(
            page("team", "changelist"),
            {"action": "delete_selected", "_selected_action": [str(spring.team_id)], "post": "yes"},
        ),
    ):
        assert answer.status_code in (200, 302, 403)
        assert Team.objects.filter(pk=spring.team_id).exists()
    assert "Spring" in client.get(page("team", "delete", spring.team_id)).content.decode()


def test_a_team_without_palettes_is_deleted(client, team):
    assert client.post(page("team", "delete", team.pk), {"post": "yes"}).status_code == 302
    assert not Team.objects.filter(pk=team.pk).exists()


# --- memberships -----------------------------------------------------------------------------------------------------
def delete_page(client, membership):
    return client.post(page("membership", "delete", membership.pk), {"post": "yes"})


def delete_action(client, membership):
    form = {"action": "delete_selected", "_selected_action": [str(membership.pk)], "post": "yes"}
    return client.post(page("membership", "changelist"), form)


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
def test_whom_all_others_left_meanwhile_is_told_that_they_stay(door):
    last, other = person("last"), person("other")
    team, answers = team_of(last, other), []
    stays, goes = (Membership.objects.get(team=team, user=user) for user in (last, other))

    def leave():
        browser_of_last = browser(last)
        answers.append(door(browser_of_last, stays))
        answers.append(browser_of_last.get(page("membership", "changelist")))
        connection.close()

    worker = Thread(target=leave)
    with transaction.atomic():
        goes.delete()
        worker.start()
        until(blocked_sessions)
    worker.join(120)
    assert answers[0].status_code == 302
    assert "last member" in answers[1].content.decode()
    assert members(team) == {"last"}


def test_a_membership_is_added_by_name_and_not_changed(client, team, outsider):
    assert sent(client, page("membership", "add"), "membership_form", team=team.pk, user="outsider").status_code == 302
    made = Membership.objects.get(team=team, user=outsider)
    shown = client.get(page("membership", "change", made.pk))
    assert shown.status_code == 200
    assert not shown.context["has_change_permission"]
    assert client.post(page("membership", "change", made.pk), {"user": "member"}).status_code == 403


# --- palettes --------------------------------------------------------------------------------------------------------
def test_a_palette_is_made_and_changed_on_its_form(client, team):
    values = {"team": team.pk, "name": "Spring", "colors": "#abc, #0000ff\r\n#123"}
    assert sent(client, page("palette", "add"), "palette_form", **values).status_code == 302
    made = Palette.objects.get()
    assert made.colors == ["#AABBCC", BLUE, "#112233"]
    address = page("palette", "change", made.pk)
    assert form_of(client.get(address), "palette_form")["colors"] == "#AABBCC #0000FF #112233"
    assert sent(client, address, "palette_form", colors="").status_code == 302
    assert Palette.objects.get().colors == []


def test_a_wrong_color_is_named_on_the_form(client, spring):
    answer = sent(client, page("palette", "change", spring.pk), "palette_form", colors="#123 rot #12")
    assert [*answer.context["adminform"].form.errors["colors"]] == [
        "Color 2: “rot” is not a color; write #RGB or #RRGGBB.",
        "Color 3: “#12” is not a color; write #RGB or #RRGGBB.",
    ]
    assert form_of(answer, "palette_form")["colors"] == "#123 rot #12"
    assert Palette.objects.get().colors == [RED, BLUE]


@pytest.mark.parametrize("colors", [None, "#f00,#00F"])
def test_the_same_colors_write_nothing(client, spring, colors):
    changes = {} if colors is None else {"colors": colors}
    assert sent(client, page("palette", "change", spring.pk), "palette_form", **changes).status_code == 302
    assert Palette.history.count() == 1


def test_colors_that_somebody_else_changed_meanwhile_are_shown_first(client, spring):
    address = page("palette", "change", spring.pk)
    form = form_of(client.get(address), "palette_form") | {"colors": "#123"}
    Palette.objects.update(colors=["#00FF00"])
    answer = client.post(address, form)
    assert "It is now: “#00FF00”" in answer.content.decode()
    assert Palette.objects.get().colors == ["#00FF00"]


def test_lists_show_colors_as_squares(client, spring):
    text = client.get(page("palette", "changelist")).content.decode()
    assert f'fill="{RED}"' in text
    assert f"<title>{BLUE}</title>" in text


@pytest.mark.parametrize(("number", "size"), [(1, (21, 21)), (12, (252, 21)), (13, (252, 42)), (64, (252, 126))])
def test_squares_stand_twelve_in_a_row(number, size):
    assert 'width="{}" height="{}"'.format(*size) in swatches([RED] * number)
    assert swatches([RED] * number).count("<rect") == number


def test_the_history_shows_what_became_of_the_colors(client, spring):
    spring.colors = [RED]
    spring.save()
    assert BLUE in client.get(page("palette", "history", spring.pk)).content.decode()


# --- files -----------------------------------------------------------------------------------------------------------
def load(client, model, text):
    """Upload and confirm; what the preview said, if it could not be confirmed."""
    file = SimpleUploadedFile("rows.csv", text.encode())
    answer = client.post(page(model, "import"), {"import_file": file, "format": 0, "resource": ""})
    if "confirm_form" not in answer.context:
        return answer.content.decode()
    assert client.post(page(model, "process_import"), answer.context["confirm_form"].initial).status_code == 302
    return ""


def test_who_imports_a_team_is_its_first_member(client):
    assert load(client, "team", "name\nNew\n") == ""
    assert members(Team.objects.get(name="New")) == {"member"}


def test_a_member_adds_others_by_import(client, team, outsider):
    assert load(client, "membership", f"team,user\n{team.pk},outsider\n") == ""
    assert members(team) == {"member", "outsider"}


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("nobody", "There is no user “nobody”."),
        ("", "There is no user “”."),
        ("member", "This user is a member already."),
    ],
)
def test_an_import_names_who_can_not_be_added(client, team, rest, message):
    assert message in load(client, "membership", f"team,user\n{team.pk},{rest}\n")
    assert members(team) == {"member"}


def test_an_import_changes_no_membership(client, team, outsider):
    made = Membership.objects.get(team=team)
    assert "can&#x27;t be changed" in load(client, "membership", f"id,team,user\n{made.pk},{team.pk},outsider\n")
    assert members(team) == {"member"}


@pytest.mark.parametrize("cell", ["#abc #0000ff", '"#abc,#0000ff"', '"#abc, #0000ff"'])
def test_colors_are_imported_from_one_cell(client, team, cell):
    assert load(client, "palette", f"team,name,colors\n{team.pk},Spring,{cell}\n") == ""
    assert Palette.objects.get().colors == ["#AABBCC", BLUE]


def test_an_import_names_the_wrong_color(client, team):
    text = load(client, "palette", f"team,name,colors\n{team.pk},Spring,#abc rot\n")
    assert "Color 2: “rot” is not a color; write #RGB or #RRGGBB." in text


@pytest.mark.parametrize(("number", "title"), [(0, "CSV"), (1, "XLSX"), (2, "JSON")])
def test_an_export_comes_back_as_no_change(client, spring, number, title):
    palette(spring.team, "Empty", colors=[])
    columns = {f"paletteresource_{name}": "on" for name in ("id", "team", "name", "colors")}
    answer = client.post(page("palette", "export"), {"format": str(number), "resource": "", **columns})
    content = answer.getvalue()
    if title == "CSV":
        assert b"Spring,#FF0000 #0000FF" in content
    before = Palette.history.count()
    file = SimpleUploadedFile(f"rows.{title.lower()}", content)
    answer = client.post(page("palette", "import"), {"import_file": file, "format": number, "resource": ""})
    assert client.post(page("palette", "process_import"), answer.context["confirm_form"].initial).status_code == 302
    assert Palette.history.count() == before


# --- samples ---------------------------------------------------------------------------------------------------------
def test_samples_belong_to_the_administrators(db):
    from random import Random

    root = person("root")
    root.is_superuser = True
    root.save()
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
