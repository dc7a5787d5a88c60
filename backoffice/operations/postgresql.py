"""Backup and restore of PostgreSQL by its own programs."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any, cast

from django.conf import settings
from django.db import connection

from backoffice.kit import waiting_files
from backoffice.operations.errors import IN_USE, BackupError

FILE = "database.dump"
LOCK_SECONDS = 60
RESTORED = ("--no-owner", "--no-privileges", "--no-comments")  # roles and their rights are those of another server
# Extensions stay: not every role may create them.
EMPTY = """
DO $$ DECLARE command text; BEGIN
    FOR command IN
        SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
                AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
            WHERE pronamespace = current_schema()::regnamespace
                AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP EXECUTE command; END LOOP;
END $$;
"""
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND backend_type = 'client backend'
    AND pid <> pg_backend_pid()
"""


def server() -> int:
    connection.ensure_connection()
    return int(cast(Any, connection).pg_version) // 10_000


@contextmanager
def dump() -> Iterator[IO[bytes]]:
    """Yield a dump of the database, as of one moment."""
    _check_version("pg_dump")
    # Compressed by the archive.
    options = ("--format=custom", "--compress=0", f"--lock-wait-timeout={LOCK_SECONDS}s", "--no-password")
    with _running("pg_dump", *options, stdout=subprocess.PIPE) as output:
        yield output


def verify(stream: IO[bytes]) -> None:
    """Check that all of the dump can be read, as SQL that goes nowhere."""
    with _running("pg_restore", f"--file={os.devnull}", stdin=subprocess.PIPE) as archive:
        copyfileobj(stream, archive)


def load(stream: IO[bytes]) -> None:
    """Replace all that the database holds, in one transaction: without the last line psql ends and nothing changed.

    Raises:
        BackupError: another session uses it, or a program failed.
    """
    _check_version("pg_restore")
    _refuse_other_sessions()
    connection.close()
    words = ("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1")
    with waiting_files.scratch() as copy:
        copyfileobj(stream, copy)
        copy.seek(0)
        with _running("psql", *words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as script:
            script.write(f"BEGIN; SET LOCAL lock_timeout = '{LOCK_SECONDS}s';{EMPTY}".encode())
            script.flush()
            with _running("pg_restore", *RESTORED, "--exit-on-error", "--file=-", stdin=copy, stdout=script):
                pass
            script.write(b"COMMIT;\n")


def _refuse_other_sessions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SESSIONS)
        if number := cursor.fetchone()[0]:
            raise BackupError(f"{IN_USE} {number} other sessions of this role use the database, or a pool keeps them.")


@contextmanager
def _running(program: str, *options: str, **streams: Any) -> Iterator[IO[bytes]]:
    """Run one of PostgreSQL's programs and yield its pipe; pg_restore writes SQL, the others connect to the database.

    Raises:
        BackupError: it failed.
    """
    words: Sequence[str] = [program, *options]
    environment: dict[str, str] | None = None
    if program != "pg_restore":
        words, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, options)
    with TemporaryFile() as errors:
        process = subprocess.Popen(
            [_path(program), *words[1:]],
            env={**os.environ, "LC_ALL": "C", **(environment or {})},  # the password among it: all may see arguments
            stderr=errors,
            **streams,
        )
        try:
            with suppress(BrokenPipeError), process:  # one that ended early has said why
                yield cast("IO[bytes]", process.stdin or process.stdout)
        except BackupError:  # of the program that writes to this one, perhaps because this one ended
            if not process.returncode or not _first_error(errors):
                raise
        if process.returncode:
            raise BackupError(f"{program} failed: {_first_error(errors) or f'exit status {process.returncode}'}")


def _first_error(errors: IO[bytes]) -> str:
    """Return the first error that a program wrote; empty if there is none."""
    errors.seek(0)
    found = re.search(r"^.*\b(?:ERROR|FATAL|error|fatal): .*$", errors.read().decode(errors="replace"), re.MULTILINE)
    return found[0].strip() if found else ""


def _check_version(program: str) -> None:
    """Refuse programs of another major version: older ones can't read the server, newer ones write what it can't.

    Raises:
        BackupError: they are missing, or do not fit.
    """
    needed = server()
    cure = (
        f"Install PostgreSQL's client programs of version {needed} (Debian: postgresql-client-{needed}), or name "
        "their folder in POSTGRES_PROGRAMS."
    )
    try:
        answer = subprocess.run([_path(program), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise BackupError(f"{program} can't be run ({error}). {cure}") from error
    found = re.search(r"\d+", answer)
    if found is None or int(found[0]) != needed:
        raise BackupError(f"{answer.strip()} does not fit the server, which has version {needed}. {cure}")


def _path(program: str) -> str:
    return str(Path(settings.POSTGRES_PROGRAMS) / program) if settings.POSTGRES_PROGRAMS else program
