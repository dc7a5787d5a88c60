"""docs/operating.md has an entry for each state, each kind of answer and each command. How it says so is free."""

import re
from pathlib import Path

import pytest

from syncer.core.state import Health, State
from syncer.management import commands
from syncer.models import Alert, Attempt, Run

PAGE = (Path(__file__).resolve().parents[1] / "docs/operating.md").read_text()
TABLES = {
    "The state of an object": [*State],
    "The state of a target": [*Health],
    "A run": [choice.label for choice in Run.State],
    "An attempt": [choice.label for choice in Attempt.Outcome],
    "Alerts": [choice.label for choice in Alert.Outcome],
    "Commands": [path.stem for path in Path(commands.__path__[0]).glob("[a-z]*.py")],
}


def rows(title: str) -> set[str]:
    """What the rows of a section's tables begin with: `in doubt`; of a command, its name."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    commands_and_words = re.findall(r"^\| (?:`(\w+)|([^|`]+) \|)", section, re.MULTILINE)
    return {command or word for command, word in commands_and_words}


@pytest.mark.parametrize("title", TABLES)
def test_every_word_has_its_row(title):
    assert {str(word) for word in TABLES[title]} - rows(title) == set()
