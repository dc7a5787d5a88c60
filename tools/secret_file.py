"""The secrets that `make run` creates once and keeps in `var/run.env`, readable by its owner only."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

ADMIN_PASSWORD = "BACKOFFICE_ADMIN_PASSWORD"
REMOTE_PASSWORD = "SYNC_REMOTE_PASSWORD"
PEOPLE_PASSWORD = "BACKOFFICE_PEOPLE_PASSWORD"  # of the accounts that show the ready roles
PEER_PASSWORD = "SYNC_PEER_PASSWORD"  # the password of each node's account at the other
# Random bytes; each becomes 4/3 of a character.
SIZES = {
    "SECRET_KEY": 50,
    "REMOTE_SECRET_KEY": 50,
    ADMIN_PASSWORD: 12,
    PEOPLE_PASSWORD: 12,
    REMOTE_PASSWORD: 24,
    PEER_PASSWORD: 24,
}


def load(var: Path) -> dict[str, str]:
    """Return all secrets by name; create and keep the missing ones.

    The administrator's password is `BACKOFFICE_ADMIN_PASSWORD` if the environment sets it; that value is not kept.
    """
    kept = read(var)
    given = {ADMIN_PASSWORD: password} if (password := os.environ.get(ADMIN_PASSWORD)) else {}
    for name, size in SIZES.items():
        if name not in given:
            kept.setdefault(name, secrets.token_urlsafe(size))
    write(var, kept)
    return kept | given


def renew_admin_password(var: Path) -> str:
    """Create and keep a new password of the administrator, unless the environment sets one; return it."""
    write(var, {name: value for name, value in read(var).items() if name != ADMIN_PASSWORD})
    return load(var)[ADMIN_PASSWORD]


def read(var: Path) -> dict[str, str]:
    path = file(var)
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)


def write(var: Path, values: Mapping[str, str]) -> None:
    """Replace the file in one step: an interruption leaves the old file or the new one."""
    fresh = file(var).with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    fresh.replace(file(var))


def file(var: Path) -> Path:
    return var / "run.env"
