"""Files that wait for somebody: an upload for its import, what a job made for its download.

Each has a name that can't be guessed and lies in one folder under VAR_DIR, which web server and worker share. What
nobody came for is removed after a day.
"""

import re
import time
from pathlib import Path
from uuid import uuid4

from django.conf import settings

NAME = re.compile(r"[0-9a-f]{32}")
KEPT = 24 * 60 * 60  # seconds


class FileGoneError(Exception):
    """There is no such file: it was taken, is too old, or never was."""


def new() -> str:
    """The name of a new, empty file that only this program's account may read; what is too old is removed."""
    clear()
    name = uuid4().hex
    path(name).touch(mode=0o600)
    return name


def path(name: str | None) -> Path:
    """Where the file of that name is.

    Raises:
        FileGoneError: this is no name of ours.
    """
    if name is None or not NAME.fullmatch(name):
        raise FileGoneError
    return _folder() / name


def take(name: str) -> str:
    """Give the file a new name, which only the caller knows: of two who take it, one gets it. It is kept anew.

    Raises:
        FileGoneError: somebody took it before.
    """
    taken = path(uuid4().hex)
    try:
        path(name).rename(taken)
    except FileNotFoundError as error:
        raise FileGoneError from error
    taken.touch()
    return taken.name


def remove(name: str) -> None:
    path(name).unlink(missing_ok=True)


def clear() -> None:
    """Remove what has waited too long."""
    for file in _folder().iterdir():
        try:
            if file.stat().st_mtime < time.time() - KEPT:
                file.unlink()
        except FileNotFoundError:
            continue  # somebody else removed it


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
