"""Django's `migrate`, behind which nobody queues for long.

Constraints:
- A statement that waits for a strong lock makes all that come after it wait too, readers among them, for as long as
  the oldest transaction lasts.
- Nobody queues behind a statement with CONCURRENTLY; one that is ended in the middle leaves a broken index.

Design: each wait for a lock is short. Then the migration is rolled back, the others go first, and it is tried again. A
migration that is not atomic can be tried again if it has one operation only; tests/backoffice/operations checks that.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections

from backoffice.kit.database import LOCK_NOT_AVAILABLE, limit_statements, sqlstate
from backoffice.kit.retry import backoff

TRIES = 12  # with waits of 2, 4, 8 … 30 s at most between them, about three minutes
CEILING = 30.0  # seconds


class Command(migrate.Command):
    def run_from_argv(self, argv: list[str]) -> None:
        limit_statements("migrate")
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        connection.ensure_connection()  # a new one adds wrappers of its own
        with connection.execute_wrapper(wait_without_limit_where_nobody_queues):
            for tries in range(1, TRIES + 1):
                try:
                    super().handle(*args, **options)
                    return
                except OperationalError as error:
                    if sqlstate(error) != LOCK_NOT_AVAILABLE:
                        raise
                    reason = str(error).partition("\n")[0]
                if tries < TRIES:
                    seconds = backoff(tries, random.random(), ceiling=CEILING)  # noqa: S311 - no secret
                    self.stderr.write(f"{reason}. Others go first; trying again in {seconds:.0f} s.")
                    time.sleep(seconds)
        raise CommandError(
            f"{reason}, {TRIES} times for {settings.DATABASE_LIMITS['migrate'][1]} s each. What was applied stays, "
            "the rest is to be applied: end the long transactions (pg_stat_activity), or stop the worker and the web "
            "server, and run migrate again."
        )


def wait_without_limit_where_nobody_queues(
    execute: Callable[..., Any],
    sql: str,
    params: object,
    many: bool,  # noqa: FBT001 - Django's signature
    context: dict[str, Any],
) -> Any:
    """Run a statement. Django's `execute_wrapper`."""
    if context["connection"].vendor != "postgresql" or "CONCURRENTLY" not in sql:
        return execute(sql, params, many, context)
    execute("SET lock_timeout = 0", None, many, context)
    try:
        return execute(sql, params, many, context)
    finally:
        execute("RESET lock_timeout", None, many, context)
