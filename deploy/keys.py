"""Make the keys of a deployment that are missing: the signing key, the database's password, and its address with it.

Compose keeps them in volumes, so that whoever needs the password alone sees nothing else. SECRET_KEY, DATABASE_URL and
POSTGRES_PASSWORD, where they are set, are taken instead. With the word `pair` there is one more: the password of each
node at the other.
"""

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

KEYS, PASSWORD, PEER = Path("/run/keys"), Path("/run/password/database"), Path("/run/peer/password")
OWNER, EVERYBODY = 0o400, 0o444  # PostgreSQL's container has another user
# The names of the database at the pool (deploy/scale/pgbouncer.ini), each with its own limits.
POOLS = ("web", "worker")


def main(*words: str) -> None:
    password = keep(PASSWORD, os.environ.get("POSTGRES_PASSWORD", ""), EVERYBODY)
    keep(KEYS / "secret_key", os.environ.get("SECRET_KEY", ""), OWNER)
    login = f"postgres://backoffice:{quote(password, safe='')}"
    write(KEYS / "database_url", os.environ.get("DATABASE_URL") or f"{login}@db:5432/backoffice", OWNER)
    write(KEYS / "replica_url", f"{login}@replica:5432/backoffice", OWNER)
    if "pair" in words:
        keep(PEER, "", OWNER)
    for name in POOLS:
        write(KEYS / f"pool_{name}_url", f"{login}@pool:6432/{name}", OWNER)


def keep(file: Path, given: str, mode: int) -> str:
    """Return what is given, else what the file holds, else a new secret; the file holds it afterwards."""
    value = given or (file.read_text() if file.exists() else secrets.token_urlsafe(50))
    write(file, value, mode)
    return value


def write(file: Path, value: str, mode: int) -> None:
    """Replace the file in one step: an interruption leaves the old file or the new one."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(value)
    fresh.chmod(mode)
    fresh.replace(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
