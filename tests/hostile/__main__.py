"""Write the table of bad input in SECURITY.md, from the tables of the tests."""

import os
import re
from importlib import import_module
from pathlib import Path

import django

SECURITY = Path(__file__).resolve().parents[2] / "SECURITY.md"
TABLE = re.compile(r"(?<=<!-- counts -->\n).*?(?=<!-- end of counts -->)", re.S)


def written(text: str) -> str:
    """Return the text of SECURITY.md with the counts of today."""
    return TABLE.sub("\n".join([*lines(), ""]), text)


def lines() -> list[str]:
    """Return the rows of the table, by entry point."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        import_module(f"tests.hostile.{file.stem}")
    from tests.hostile.cases import COUNTS, OUTCOMES

    entries = sorted({entry for entry, _ in COUNTS})
    head = [f"| entry point: inputs | {' | '.join(OUTCOMES)} |", f"| --- |{' ---: |' * len(OUTCOMES)}"]
    counted = {entry: [COUNTS[entry, outcome] for outcome in OUTCOMES] for entry in entries}
    counted["all"] = [sum(numbers) for numbers in zip(*counted.values(), strict=True)]
    rows = [f"| {entry} | {' | '.join(str(number or '') for number in counted[entry])} |" for entry in counted]
    return [*head, *rows]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    SECURITY.write_text(written(SECURITY.read_text()))
