"""References to secrets. The database, exports and logs hold where a secret is, never the secret."""

import os
import re
from pathlib import Path

from django.core.exceptions import ValidationError

FORM = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+")


class Unresolved(Exception):
    """The reference is well-formed, but no secret is there. The message names the cure."""


def validate(reference: str) -> None:
    """Refuse anything but `env:NAME` and `file:/PATH`, so that a secret pasted by mistake is not stored."""
    if not FORM.fullmatch(reference):
        raise ValidationError(
            "Give where the secret is, not the secret: env:NAME for an environment variable, file:/PATH for a file.",
            code="not_a_reference",
        )


def resolve(reference: str) -> str:
    """The secret that `reference` names, without a final newline.

    Raises:
        Unresolved: the variable is not set, or the file can't be read, or either is empty.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        secret = os.environ.get(place, "")
        cure = f"Set the environment variable {place} for the web server and the worker."
    else:
        try:
            secret = Path(place).read_text().rstrip("\n")
        except OSError as error:
            raise Unresolved(f"{place} can't be read: {error.strerror}.") from error
        cure = f"{place} is empty."
    if not secret:
        raise Unresolved(cure)
    return secret
