import pytest

from backoffice.accounts.models import User
from content.palettes.models import Palette, Team
from tests.content.pages import person
from tests.content.palettes.people import FILES, palette, team_of


@pytest.fixture
def member(db: None) -> User:
    return person("member", *FILES)


@pytest.fixture
def outsider(db: None) -> User:
    """Has an account, and is not in the team."""
    return person("outsider", *FILES)


@pytest.fixture
def team(member: User) -> Team:
    return team_of(member)


@pytest.fixture
def spring(team: Team) -> Palette:
    return palette(team)
