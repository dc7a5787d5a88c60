"""Looking at history rows, and writing past Django."""

import os
import subprocess
import sys
from typing import Any

from django.db import connection

from content.news.models import Post
from tests.postgres import binaries

# Another program, with nothing of ours: there is no command line of SQLite on every machine, but Python has its driver.
SQLITE = "import sys, sqlite3; c = sqlite3.connect(sys.argv[1], 20); c.executescript(sys.argv[2]); c.commit()"


def kinds(model: Any = Post) -> str:
    """Of all history rows, in their order: `"++~"`."""
    return "".join(model.history.order_by("history_id").values_list("history_type", flat=True))


def newest(model: Any = Post) -> Any:
    return model.history.order_by("history_id").last()


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def in_another_program(statements: str) -> None:
    if connection.vendor == "sqlite":
        command = [sys.executable, "-c", SQLITE, str(connection.settings_dict["NAME"]), statements]
    else:
        command = [*postgresql("psql"), "-v", "ON_ERROR_STOP=1", "-c", statements]
    subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL)


def postgresql(program: str, database: str = "") -> list[str]:
    """The command that starts one of PostgreSQL's programs for the tests' database, or another one of its server."""
    settings = connection.settings_dict
    options = {
        "-h": settings["HOST"],
        "-p": settings["PORT"],
        "-U": settings["USER"],
        "-d": database or settings["NAME"],
    }
    return [str(binaries() / program), *(str(part) for pair in options.items() if pair[1] for part in pair)]


def environment() -> dict[str, str]:
    return {**os.environ, "PGPASSWORD": str(connection.settings_dict["PASSWORD"])}
