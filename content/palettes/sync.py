"""What of the palettes may travel. Memberships stay: the users of another system are not ours."""

from content.palettes.models import Palette, Team
from syncer.public import declare

declare(Team, fields=("name",), natural_key=("name",))
declare(Palette, fields=("team", "name", "colors"), natural_key=("team", "name"), parent="team")
