"""Teams and palettes travel like all content: the remote holds what we hold."""

import pytest

from content.palettes.models import Palette, Team
from syncer.engine.runs import run_here
from syncer.models import Route, Target

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(remote):
    target = Target.objects.create(name="studio", url=remote.url, timeout=10)
    Route.objects.create(target=target, model="palettes.Team", path="/teams", fields={"name": "name"}, lookup=["name"])
    fields = {"teamId": "team", "name": "name", "colors": "colors"}
    Route.objects.create(target=target, model="palettes.Palette", path="/palettes", fields=fields)
    return target


def test_a_team_and_its_palette_are_made_changed_and_deleted_there(remote, target):
    team = Team.objects.create(name="Design")
    palette = Palette.objects.create(team=team, name="Spring", colors=["#abc"])
    run_here(target)
    assert remote.records("/teams") == {1: {"id": 1, "name": "Design"}}
    spring = {"id": 1, "teamId": 1, "name": "Spring", "colors": ["#AABBCC"]}
    assert remote.records("/palettes") == {1: spring}

    palette.colors = ["#abc", "#123456"]
    palette.save()
    run_here(target)
    assert remote.records("/palettes") == {1: spring | {"colors": ["#AABBCC", "#123456"]}}

    remote.clear_journal()
    palette.delete()
    team.delete()
    run_here(target)
    assert [(entry.method, entry.path) for entry in remote.writes()] == [
        ("DELETE", "/palettes/1"),
        ("DELETE", "/teams/1"),
    ]
