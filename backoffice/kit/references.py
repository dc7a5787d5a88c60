"""References to secrets. The database, exports and logs hold the place of a secret, never the secret.

Whoever may edit a reference also chooses the host that the secret is sent to. So references reach only the variables
and folders that two settings set aside, SECRET_REFERENCE_PREFIXES and SECRET_REFERENCE_FOLDERS, and of these nothing
that the settings themselves are read from.
"""

import os
import re
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import either, message_of, phrase

FORM = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\s\0]+")
OWN_PREFIX = "BACKOFFICE_"  # of variables that commands read too, such as BACKOFFICE_ADMIN_PASSWORD


class UnresolvedError(Exception):
    """The reference is well-formed, but gives no secret. The message names the cure."""


def validate(reference: str) -> None:
    """Refuse anything but `env:NAME` and `file:/PATH`, so that a secret pasted by mistake is not stored.

    Raises:
        ValidationError: the reference is malformed, or its variable or file is not allowed.
    """
    if not FORM.fullmatch(reference):
        raise ValidationError(
            _("Give where the secret is, not the secret: env:NAME for an environment variable, file:/PATH for a file."),
            code="not_a_reference",
        )
    try:
        _place(reference)
    except UnresolvedError as error:
        raise ValidationError(localized(message_of(error)), code="out_of_reach") from error


def resolve(reference: str) -> str:
    """Return the secret that `reference` names, without a final newline.

    Raises:
        UnresolvedError: the place is not allowed, the variable is not set, the file can't be read, or either is empty.
    """
    place = _place(reference)
    if isinstance(place, str):
        secret = os.environ.get(place, "")
        cure = phrase("Set the environment variable %(place)s for the web server and the worker.", place=place)
    else:
        try:
            secret = place.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            why = phrase("%(place)s can't be read: %(error)s.", place=str(place), error=str(error.strerror))
            raise UnresolvedError(why) from error
        except ValueError as error:
            raise UnresolvedError(phrase("%(place)s is not UTF-8 text.", place=str(place))) from error
        cure = phrase("%(place)s is empty.", place=str(place))
    if not secret:
        raise UnresolvedError(cure)
    return secret


def _place(reference: str) -> str | Path:
    """Return the variable's name, or the file with all links followed.

    Raises:
        UnresolvedError: the settings do not allow it, or are read from it.
    """
    if not reference:
        raise UnresolvedError(phrase("Enter where it is stored, on the page of the target."))
    kind, _colon, place = reference.partition(":")
    return _variable(place) if kind == "env" else _file(place)


def _variable(name: str) -> str:
    if name in settings.SETTINGS_NAMES or name.startswith(OWN_PREFIX):
        raise UnresolvedError(
            phrase(
                "%(place)s may not be read: it is a setting of this program. Put the target's secret into a variable "
                "of its own, such as SYNC_SHOP_TOKEN.",
                place=name,
            )
        )
    prefixes = settings.SECRET_REFERENCE_PREFIXES
    if not name.startswith(tuple(prefixes)):
        raise UnresolvedError(
            phrase(
                "%(place)s may not be read: the variable's name must begin with %(allowed)s (setting "
                "SECRET_REFERENCE_PREFIXES).",
                place=name,
                allowed=either(prefixes),
            )
        )
    return name


def _file(path: str) -> Path:
    folders = settings.SECRET_REFERENCE_FOLDERS
    try:
        file = Path(path).resolve()
        is_allowed = any(file.is_relative_to(Path(folder).resolve()) for folder in folders)
        is_own = any(_is_same(file, own) for own in settings.SETTINGS_FILES)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle, until Python 3.12
        raise UnresolvedError(phrase("'%(place)s' is not a path.", place=path)) from error
    if not is_allowed:
        raise UnresolvedError(
            phrase(
                "%(place)s may not be read: the file must lie in %(allowed)s (setting SECRET_REFERENCE_FOLDERS).",
                place=path,
                allowed=either(map(str, folders)),
            )
        )
    if is_own:
        raise UnresolvedError(
            phrase(
                "%(place)s may not be read: settings of this program are in it. Put the target's secret into a file of "
                "its own.",
                place=path,
            )
        )
    return file


def _is_same(file: Path, own: Path) -> bool:
    """Return whether both are one file, under two names too: a link, hard or symbolic, or a mount."""
    try:
        return file.samefile(own)
    except FileNotFoundError:  # one of them went after the start
        return file == own.resolve()
