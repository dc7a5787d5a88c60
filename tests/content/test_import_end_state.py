"""An import is judged by its end state: a file may swap, chain or pass on unique values, in any order of its rows."""

import json
from itertools import permutations
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.kit.history import history_of
from content.base.imports.parking import park
from content.orders.models import Order
from content.palettes.models import Membership, Palette, Team
from syncer.engine.runs import run_here
from syncer.models import Route, Target
from tests.content.files import confirm, load, preview, table, workbook
from tests.content.locks import asked_meanwhile
from tests.content.pages import administrator, browser, person
from tests.content.palettes.people import palette, team_of

pytestmark = [pytest.mark.law, pytest.mark.django_db]

WAITS = "Another row gives this value up, but row 3 is wrong itself."
TAKEN = "There is a team of this name already. Choose another name, or change the other team's name in the same file."


def teams(*names: str) -> list[Team]:
    return Team.objects.bulk_create([Team(name=name) for name in names])


def names(of: Any = Team) -> list[str]:
    """The names in the objects' order, without the personal teams that users get."""
    return list(of.objects.exclude(name__endswith="'s team").order_by("pk").values_list("name", flat=True))


def problems(model: Any, data: str) -> Any:
    """The errors of a file, after making sure that nothing of it is left."""
    client, tables = administrator(), (model, history_of(model))
    before = [list(table._default_manager.order_by("pk").values()) for table in tables]
    answer = preview(client, model, data)
    assert [list(table._default_manager.order_by("pk").values()) for table in tables] == before
    return answer.context["report"].problems


# --- valid end states ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_a_file_swaps_two_names(kind):
    a, b = teams("A", "B")
    rows = [["id", "name"], [a.pk, "B"], [b.pk, "A"]]
    data: Any = {"csv": table, "xlsx": workbook, "json": lambda *rows: json.dumps(_records(*rows))}[kind](*rows)
    load(administrator(), Team, data, kind)
    assert names() == ["B", "A"]


def _records(headers: list[str], *rows: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(headers, row, strict=True)) for row in rows]


@pytest.mark.parametrize("order", [*permutations(range(3))])
@pytest.mark.parametrize("after", ["BCD", "BCA"], ids=["chain", "cycle"])
def test_the_order_of_the_rows_does_not_matter(after, order):
    changed = teams("A", "B", "C")
    rows = [[changed[number].pk, after[number]] for number in order]
    load(administrator(), Team, table(["id", "name"], *rows))
    assert names() == [*after]
    assert [row.name for row in Team.history.filter(history_type="~").order_by("id")] == [*after]


def test_names_that_differ_in_case_alone_are_swapped_too():
    a, b = teams("red", "Blue")
    load(administrator(), Team, table(["id", "name"], [a.pk, "BLUE"], [b.pk, "RED"]))
    assert names() == ["BLUE", "RED"]


@pytest.mark.parametrize("new_first", [True, False])
def test_a_new_row_gets_a_name_that_another_row_gives_up(new_first):
    (a,) = teams("A")
    rows = [["", "A"], [a.pk, "B"]]
    load(administrator(), Team, table(["id", "name"], *(rows if new_first else rows[::-1])))
    assert names() == ["B", "A"]


def test_values_that_are_unique_together_are_swapped():
    brand, web = team_of(name="Brand"), team_of(name="Web")
    spring, autumn = palette(brand, "Spring"), palette(brand, "Autumn")
    away = palette(web, "Spring")
    rows = [[spring.pk, brand.pk, "Autumn"], [autumn.pk, web.pk, "Spring"], [away.pk, brand.pk, "Spring"]]
    load(administrator(), Palette, table(["id", "team", "name"], *rows))
    stored = list(Palette.objects.order_by("pk").values_list("team", "name"))
    assert stored == [(brand.pk, "Autumn"), (web.pk, "Spring"), (brand.pk, "Spring")]


def test_two_palettes_of_one_name_swap_their_teams():
    brand, web = team_of(name="Brand"), team_of(name="Web")
    here, there = palette(brand), palette(web)
    load(administrator(), Palette, table(["id", "team"], [here.pk, web.pk], [there.pk, brand.pk]))
    assert list(Palette.objects.order_by("pk").values_list("team", "name")) == [
        (web.pk, "Spring"),
        (brand.pk, "Spring"),
    ]
    assert [row.name for row in Palette.history.all()] == ["Spring"] * 4


def test_a_preview_shows_the_names_before_and_after():
    a, b = teams("Alpha", "Beta")
    answer = preview(administrator(), Team, table(["id", "name"], [a.pk, "Beta"], [b.pk, "Alpha"]))
    page = answer.content.decode()
    assert "<del>Alpha</del><ins>Beta</ins>" in page
    assert "<del>Beta</del><ins>Alpha</ins>" in page
    assert names() == ["Alpha", "Beta"]


def test_history_has_one_row_of_each_object_with_the_end_state_and_its_cause():
    a, b, unchanged = teams("A", "B", "C")
    rows = [[a.pk, "B"], [b.pk, "A"], [unchanged.pk, "C"]]
    load(administrator(), Team, table(["id", "name"], *rows), name="names.csv")
    versions = Team.history.filter(id__in=[row[0] for row in rows]).order_by("history_id")
    written = list(versions.values_list("id", "name", "history_type"))[3:]
    assert written == [(a.pk, "B", "~"), (b.pk, "A", "~")]
    causes = {(row.history_user_name, row.history_change_reason) for row in Team.history.filter(history_type="~")}
    assert causes == {("administrator", "Imported from names.csv")}


def test_a_member_swaps_the_palettes_of_their_team_alone():
    member = person("member", *(f"palettes.{verb}_palette" for verb in ("view", "import", "change")))
    ours, theirs = team_of(member), team_of(name="Foreign")
    spring, autumn, foreign = palette(ours, "Spring"), palette(ours, "Autumn"), palette(theirs, "Spring")
    rows = [[spring.pk, "Autumn"], [autumn.pk, "Spring"]]
    load(browser(member), Palette, table(["id", "name"], *rows))
    assert names(Palette) == ["Autumn", "Spring", "Spring"]
    answer = preview(browser(member), Palette, table(["id", "name"], *rows, [foreign.pk, "Autumn"]))
    assert [(row, column) for row, column, _ in answer.context["report"].problems] == [(4, "id")]


# --- invalid end states ----------------------------------------------------------------------------------------------
def test_a_name_that_stays_with_another_is_refused_with_row_column_and_cure():
    a, b, _ = teams("A", "B", "C")
    assert problems(Team, table(["id", "name"], [a.pk, "B"], [b.pk, "c"])) == [(2, "name", WAITS), (3, "name", TAKEN)]


def test_a_name_that_two_rows_want_is_refused_for_the_second():
    a, b = teams("A", "B")
    assert problems(Team, table(["id", "name"], [a.pk, "B"], [b.pk, "A"], ["", "b"])) == [(4, "name", TAKEN)]


def test_all_that_is_wrong_is_named_at_once():
    a, b, _ = teams("A", "B", "C")
    found = problems(Team, table(["id", "name"], [a.pk, "B"], [b.pk, " "], ["", "C"], [10**30, "D"]))
    assert [(row, column) for row, column, _ in found] == [(2, "name"), (3, "name"), (4, "name"), (5, "id")]
    assert found[0][2] == WAITS


def test_a_palette_name_that_the_team_has_is_refused():
    brand = team_of(name="Brand")
    spring, _ = palette(brand, "Spring"), palette(brand, "Autumn")
    message = "The team has a palette of this name already."
    cure = "Choose another name, or change the other palette's name in the same file."
    assert problems(Palette, table(["id", "name"], [spring.pk, "Autumn"])) == [(2, "name", f"{message} {cure}")]


def test_an_end_state_that_became_invalid_after_the_preview_leaves_all_as_it_was():
    a, b = teams("A", "B")
    client = administrator()
    answer = preview(client, Team, table(["id", "name"], [a.pk, "B"], [b.pk, "C"]))
    teams("C")
    page = confirm(client, answer)
    record = page.context["record"]
    assert (record.state, record.written["failed"]) == ("done", 2)
    assert page.context["report"].problems == [
        (2, "name", WAITS),
        (3, "name", TAKEN),
    ]
    assert names() == ["A", "B", "C"]
    assert not Team.history.exclude(history_type="+").exists()


def test_a_membership_that_a_file_would_swap_stays_as_it_is():
    """Memberships are never changed; no placeholder may get past that rule."""
    first, second = person("first"), person("second")
    made = Membership.objects.filter(team=team_of(first, second)).order_by("pk")
    rows = [[made[0].pk, made[0].team_id, "second"], [made[1].pk, made[1].team_id, "first"]]
    found = problems(Membership, table(["id", "team", "user"], *rows))
    assert {message for *_, message in found} > {"A membership can't be changed; remove it and add another one."}


# --- other writers ---------------------------------------------------------------------------------------------------
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_rename_that_is_committed_while_the_import_begins_is_kept():
    """The palette's name gets a placeholder because its team changes; the import writes back the name as it is then."""
    spring, web = palette(team_of(name="Brand")), team_of(name="Web")
    client = administrator()
    answer = preview(client, Palette, table(["id", "team"], [spring.pk, web.pk]))
    rename = Palette.objects.filter(pk=spring.pk).update
    assert asked_meanwhile(lambda: confirm(client, answer), lambda: rename(name="Summer")).status_code == 200
    assert Palette.objects.values_list("team", "name").get() == (web.pk, "Summer")
    assert [row.name for row in Palette.history.order_by("history_id")] == ["Spring", "Summer", "Summer"]


@pytest.mark.django_db(transaction=True)
def test_a_target_gets_the_end_state_of_a_swap_and_nothing_else(remote):
    target = Target.objects.create(name="studio", url=remote.url, timeout=10)
    Route.objects.create(target=target, model="palettes.Team", path="/teams", fields={"name": "name"}, lookup=["name"])
    client = administrator()
    a, b = teams("A", "B")
    run_here(target)
    remote.clear_journal()
    load(client, Team, table(["id", "name"], [a.pk, "B"], [b.pk, "A"]))
    run_here(target)
    assert sorted(entry.body["name"] for entry in remote.writes()) == ["A", "B"]


# --- the command -----------------------------------------------------------------------------------------------------
@pytest.fixture
def run(tmp_path, capsys):
    """Run the command with a file, and return what it reported."""

    def run(resource: str, data: str) -> str:
        file = tmp_path / "rows.csv"
        file.write_text(data)
        call_command("import", resource, file, interactive=False)
        return str(capsys.readouterr().err)

    return run


RESOURCES = pytest.mark.parametrize("resource", ["content.palettes.resources.TeamResource", "palettes.Team"])


@RESOURCES
def test_the_command_swaps_names(run, resource):
    a, b = teams("A", "B")
    assert "2 updated" in run(resource, table(["id", "name"], [a.pk, "B"], [b.pk, "A"]))
    assert names() == ["B", "A"]
    assert Team.history.count() == 4


@RESOURCES
def test_the_command_names_each_wrong_row_and_keeps_none(run, resource, capsys):
    a, b, _ = teams("A", "B", "C")
    with pytest.raises(SystemExit):
        run(resource, table(["id", "name"], [a.pk, "B"], [b.pk, "C"], ["", " "]))
    report = capsys.readouterr().err
    assert f"Line number: 3 - {f'name: {TAKEN}'!r}" in report
    assert "Line number: 4 - 'name: A value is missing. Write one.'" in report
    assert names() == ["A", "B", "C"]
    assert Team.history.count() == 3


def test_the_command_reads_a_file_as_the_admin_does(run):
    """An export has a quote before a text that a spreadsheet would run."""
    run("palettes.Team", table(["name"], ["'=A"]))
    assert names() == ["=A"]
    with pytest.raises(CommandError, match="The column name is in the file twice"):
        run("palettes.Team", "name,name\nA,B\n")


@pytest.mark.parametrize(("options", "name"), [({}, "rows.tsv"), ({"format": "csv"}, "rows.dat")])
def test_the_command_says_what_it_found_in_the_file(tmp_path, capsys, options, name):
    file = tmp_path / name
    file.write_bytes("Name\tNotes\nGrüße\t\n".replace("\tNotes", "\t").encode("cp1252"))
    call_command("import", "palettes.Team", file, interactive=False, **options)
    assert "Encoding: Windows-1252. Columns are separated by: tab." in capsys.readouterr().err
    assert names() == ["Grüße"]


def test_the_command_reads_the_encoding_that_it_is_given(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_bytes("name\nGrüße\n".encode("mac-roman"))
    call_command("import", "palettes.Team", file, interactive=False, encoding="mac-roman")
    assert names() == ["Grüße"]


@pytest.mark.parametrize(("name", "message"), [("rows.doc", "Give --format: CSV, JSON, XLSX"), ("no.csv", "no file")])
def test_the_command_names_what_it_cannot_open(tmp_path, name, message):
    (tmp_path / "rows.doc").write_bytes(b"name\nA\n")
    with pytest.raises(CommandError, match=message):
        call_command("import", "palettes.Team", tmp_path / name, interactive=False)


# --- parking ---------------------------------------------------------------------------------------------------------
def test_objects_whose_column_allows_no_placeholder_are_not_parked():
    order = Order.objects.create(product_name="Paint", quantity=1)
    assert not park(Order, ["status"], [order.pk])
    assert Order.objects.get().status == "PENDING"
    assert Order.history.count() == 1


@pytest.mark.parametrize("column", ["product_name", "quantity"])
def test_a_parked_object_has_another_value_and_no_history_of_it(column):
    order, other = (Order.objects.create(product_name="Paint", quantity=1) for _ in range(2))
    Order.objects.filter(pk=order.pk).update(quantity=2)
    assert park(Order, [column], [order.pk])
    assert getattr(Order.objects.get(pk=order.pk), column) not in ("Paint", 1, 2)
    assert getattr(Order.objects.get(pk=other.pk), column) in ("Paint", 1)
    assert [row.quantity for row in Order.history.order_by("history_id")] == [1, 1, 2]
