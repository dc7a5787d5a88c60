"""Temporary files: uploads that wait for their import, and files made by jobs that wait for their download.

Each has a name that can't be guessed and lies in one folder under VAR_DIR, which web server and worker share. After a
day it is removed.
"""

import os
import re
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from uuid import uuid4

from django.conf import settings

NAME = re.compile(r"[0-9a-f]{32}")
KEPT = 24 * 60 * 60  # seconds


def new() -> str:
    """Create an empty file that only this program's account may read, remove those too old, and return its name."""
    clear()
    name = uuid4().hex
    path(name).touch(mode=0o600)
    return name


def path(name: str) -> Path:
    """Return the path of the file called `name`.

    Raises:
        FileNotFoundError: the name is not of the form that `new` gives, so that there can be no such file.
    """
    if not NAME.fullmatch(name):
        raise FileNotFoundError
    return folder() / name


def scratch() -> IO[bytes]:
    """Return a file without a name, which is gone when nobody has it open any more.

    The system's own temporary folder may be memory.
    """
    return TemporaryFile(dir=folder())


def keep(name: str) -> None:
    """Have the file's day begin again.

    Raises:
        FileNotFoundError: it was removed as too old, or never existed.
    """
    os.utime(path(name))


def remove(name: str) -> None:
    path(name).unlink(missing_ok=True)


def clear() -> None:
    """Remove the files that have waited longer than KEPT."""
    for file in folder().iterdir():
        try:
            if file.stat().st_mtime < time.time() - KEPT:
                file.unlink()
        except FileNotFoundError:
            continue  # another process removed it


def folder() -> Path:
    """Return the folder, made where it is missing."""
    folder = Path(settings.VAR_DIR) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
