"""Files that wait for their import."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from django.utils.translation import gettext as _

from backoffice.kit import waiting_files
from content.base.tables import FileError


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that waits under a name that can't be guessed, for a day at least."""

    name: str
    sha256: str

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Self:
        """Store a file that is given in parts."""
        name, digest = waiting_files.new(), hashlib.sha256()
        with waiting_files.path(name).open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        return cls(name=name, sha256=digest.hexdigest())


def path_of(name: str) -> Path:
    """Return where a waiting file is, and have it wait for another day.

    Raises:
        FileError: it waited for too long, or was removed after its import.
    """
    try:
        waiting_files.keep(name)
        return waiting_files.path(name)
    except FileNotFoundError as error:
        raise FileError(_("The file waited for more than a day and is gone. Upload it again.")) from error
