"""The lines of `saves.py` on SQLite: `python -m bench.sqlite ANSWER LINE …` with a DATABASE_URL of SQLite."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.harness import Figure
from bench.stage import run

if TYPE_CHECKING:
    from bench.stage import Server


def on_sqlite(server: "Server", lines: Sequence[str]) -> list[Figure]:
    """Return the figures of SQLite, measured in a process that uses it."""
    answer = server.folder / "sqlite.json"
    environment = server.environment("") | {"DATABASE_URL": f"sqlite:///{server.folder}/bench.sqlite3"}
    run(["bench.sqlite", str(answer), *lines], environment)
    return [Figure.of_json(values) for values in json.loads(answer.read_text())]


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    from bench.saves import Bench

    answer, *lines = sys.argv[1:]
    call_command("migrate", verbosity=0)
    figures = Bench("SQLite", time.process_time).figures(lines)
    Path(answer).write_text(json.dumps([figure.as_json() for figure in figures]))


if __name__ == "__main__":
    main()
