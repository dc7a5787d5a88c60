"""Sample teams and palettes."""

from colorsys import hls_to_rgb
from random import Random

from django.contrib.auth import get_user_model

from content.palettes.models import Membership, Palette, Team

TEAMS = ("Brand", "Packaging", "Shop windows", "Web shop", "Catalog", "Trainees")
IDLE = 1  # teams without palettes
PALETTES = 8  # of each team
SUBJECTS = (
    "Spring", "Harbour", "Orchard", "Evening", "Market day", "First snow", "Workshop", "Sea glass", "Brick lane",
    "Meadow", "Paper and ink", "Late summer", "Copper", "Greenhouse", "Dunes", "Night shift",
)  # fmt: skip
KINDS = ("primary", "accents", "background", "print", "screen")


def is_empty() -> bool:
    """Return whether there is no content yet. Personal teams don't count: every user has one."""
    return not Palette.objects.exists() and not Team.objects.filter(name__in=TEAMS).exists()


def create(random: Random) -> int:
    """Write the samples with their history, and return how many there are."""
    teams = Team.objects.bulk_create([Team(name=name) for name in TEAMS])
    palettes = Palette.objects.bulk_create([palette for team in teams[:-IDLE] for palette in _palettes(random, team)])
    administrators = get_user_model()._default_manager.filter(is_superuser=True, is_active=True)
    members = [Membership(team=team, user=user) for team in teams for user in administrators]
    Membership.objects.bulk_create(members)
    return len(teams) + len(palettes) + len(members)


def _palettes(random: Random, team: Team) -> list[Palette]:
    names = [f"{subject}, {random.choice(KINDS)}" for subject in random.sample(SUBJECTS, PALETTES)]
    return [Palette(team=team, name=name, colors=_colors(random)) for name in names]


def _colors(random: Random) -> list[str]:
    """Return neighbors on the color wheel, from dark to light, and often a complementary color."""
    hue, step = random.random(), random.uniform(0.02, 0.07)
    number, saturation = random.randint(4, 7), random.uniform(0.35, 0.75)
    colors = [_color(hue + step * place, 0.25 + 0.6 * place / (number - 1), saturation) for place in range(number)]
    return [*colors, _color(hue + 0.5, 0.55, saturation)] if random.random() < 0.6 else colors


def _color(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = (round(part * 255) for part in hls_to_rgb(hue % 1, lightness, saturation))
    return f"#{red:02X}{green:02X}{blue:02X}"
