"""The fields of teams and palettes that a sync may carry. Memberships stay: other systems have other users."""

from content.palettes.models import Palette, Team
from syncer.public import declare

declare(Team, fields=("name",), natural_key=("name",))
declare(Palette, fields=("team", "name", "colors"), natural_key=("team", "name"), parent="team")
