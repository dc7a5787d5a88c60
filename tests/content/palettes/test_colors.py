"""Colors are kept as upper-case #RRGGBB, at most 64 of them, whichever way they come."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from content.palettes.colors import colors_of
from content.palettes.models import Palette

KEPT = ["#AABBCC", "#1F2E3D"]
WRITTEN = ["#abc", "#1f2e3D"]


def written(spring):
    spring.colors = WRITTEN
    return spring


def saved(palette, **options):
    palette.save(**options)
    assert palette.colors == KEPT


def cleaned(spring):
    written(spring).full_clean()
    assert spring.colors == KEPT
    return spring


def another(spring):
    spring.delete()
    return Palette(team=spring.team, name="N", colors=WRITTEN)


DOORS = {
    "save": lambda spring: saved(written(spring)),
    "save of the field": lambda spring: saved(written(spring), update_fields=["colors"]),
    "save of a new one": lambda spring: saved(another(spring)),
    "bulk_create": lambda spring: Palette.objects.bulk_create([another(spring)]),
    "update": lambda spring: Palette.objects.update(colors=WRITTEN),
    "bulk_update": lambda spring: Palette.objects.bulk_update([written(spring)], ["colors"]),
    "full_clean": lambda spring: saved(cleaned(spring)),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_colors_are_kept_in_one_form(spring, door):
    made = door(spring)
    assert Palette.objects.get().colors == KEPT
    assert Palette.history.first().colors == KEPT
    if isinstance(made, list):  # of new objects
        assert made[0].colors == KEPT


def test_the_same_colors_in_another_form_are_no_change(spring):
    Palette.objects.update(colors=["#AABBCC"])
    spring.refresh_from_db()
    before = Palette.history.count()
    spring.colors = ["#abc"]
    spring.save()
    Palette.objects.update(colors=["#aabbcc"])
    assert Palette.history.count() == before


def test_an_expression_is_left_to_the_database(spring):
    Palette.objects.update(colors=F("colors"))
    assert Palette.objects.get().colors == spring.colors


@pytest.mark.parametrize(
    "text", ["#abc #1f2e3D", "#abc,#1f2e3D", "#abc, #1f2e3D", "#abc\r\n#1f2e3D\n", " #abc   #1f2e3D "]
)
def test_colors_may_come_as_text(text):
    assert colors_of(text) == KEPT
    assert str(colors_of(text)) == "#AABBCC #1F2E3D"


@pytest.mark.parametrize(
    "color", ["", "red", "#12", "#1234", "#12345", "#1234567", "123456", "#12345G", "#١٢٣", "#123\n", 5, None, ["#123"]]
)
def test_a_wrong_color_is_named_with_its_place(color):
    with pytest.raises(ValidationError, match=r"Color 2: “") as error:
        colors_of(["#123", color])
    assert error.value.messages == [f"Color 2: “{color}” is not a color; write #RGB or #RRGGBB."]


@pytest.mark.parametrize("colors", [5, {"#123": 1}, True])
def test_colors_that_are_no_list_are_refused(colors):
    with pytest.raises(ValidationError, match="must be a list"):
        colors_of(colors)


def test_sixty_four_colors_are_the_most(spring):
    spring.colors = ["#123"] * 64
    spring.full_clean()
    spring.save()
    assert len(Palette.objects.get().colors) == 64
    spring.colors = ["#123"] * 65
    with pytest.raises(ValidationError, match="These are 65 colors; at most 64 are allowed"):
        spring.full_clean()
    with pytest.raises(ValidationError, match="65"):
        spring.save()


def test_a_palette_may_be_empty(spring):
    spring.colors = []
    spring.full_clean()
    spring.save()
    assert Palette.objects.get().colors == []


@pytest.mark.parametrize(
    "stored",
    ['["#abc"]', '["#aabbcc"]', '["red"]', '"#AABBCC"', "{}", '[["#AABBCC"]]', "[1]",
     "[" + ", ".join(['"#AABBCC"'] * 65) + "]"],
)  # fmt: skip
def test_the_database_refuses_other_forms(spring, stored):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE palettes_palette SET colors = %s", [stored])


@pytest.mark.parametrize("stored", ["[]", '["#AABBCC"]', "[" + ", ".join(['"#AABBCC"'] * 64) + "]"])
def test_the_database_takes_what_is_kept(spring, stored):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE palettes_palette SET colors = %s", [stored])
    Palette.objects.get().full_clean()
