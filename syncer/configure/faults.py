"""The faults of a configuration file: the place of each, and a message that names the cure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from pydantic_core import ErrorDetails

from syncer.configure.schema import Path, keys_at
from syncer.core.errors import SyncError
from syncer.models import Route, Target

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")  # others are quoted
WORDS = {  # {"pydantic's error type": message}
    "string_type": "Must be text",
    "int_type": "Must be a whole number",
    "bool_type": "Must be true or false",
    "list_type": "Must be a list",
    "dict_type": "Must be a table",
    "string_pattern_mismatch": "Must not contain a NUL character",
    "missing": "This key is required",
}


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of the file and its cure."""

    path: str  # as TOML writes it, `targets.fakeapi.routes[0].fields.title`; empty for the file as a whole
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigurationError(SyncError):
    """The file can't be used, and nothing was written. `faults` has the reasons."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}")


class Faults:
    """The faults of a file, collected so that all are reported at once."""

    def __init__(self) -> None:
        self._faults: set[tuple[Path, str]] = set()
        self._refused: set[Path] = set()

    def refuse(self, path: Path, message: str) -> None:
        """Report a key whose value is not used, so that a model without that value does not report it again."""
        self._refused.add(path)
        self._faults.add((path, message))

    def report(self, path: Path, message: str) -> None:
        """Report a fault of a value, unless its key or an enclosing table was refused already."""
        if not any(path[:length] in self._refused for length in range(len(path) + 1)):
            self._faults.add((path, message))

    def validate(self, row: Target | Route, paths: Mapping[str, Path], place: Path) -> None:
        """Report the errors of the row's `full_clean`; `paths` has each column's key, relative to the row's `place`."""
        try:
            row.full_clean(exclude={"target"})
        except ValidationError as refused:
            for column, errors in refused.error_dict.items():
                for error in errors:
                    at = (error.params or {}).get("at") if error.code == "route" else None
                    path = (*place, *paths.get(column, (column,)), *(() if at is None else (at,)))
                    self.report(path, _model_words(row, column, error))

    def raise_if_any(self) -> None:
        """Raise a ConfigurationError with all faults, in the order of their paths, if there are any."""
        if self._faults:
            raise ConfigurationError(*(Fault(written(path), message) for path, message in sorted(self._faults)))


def written(path: Path) -> str:
    """Return a path as TOML writes keys: `targets."fake api".routes[0].path`."""
    parts = [
        f"[{part}]" if isinstance(part, int) else f".{part}" if BARE_KEY.fullmatch(part) else f".{json.dumps(part)}"
        for part in path
    ]
    return "".join(parts).removeprefix(".")


def words_of(detail: ErrorDetails, schema: type) -> str:
    """Return the message for a key of `schema` with the wrong type or name."""
    if detail["type"] == "extra_forbidden":
        return f"Unknown key; it may be one of: {', '.join(keys_at(schema, detail['loc'][:-1]))}"
    return WORDS.get(detail["type"], detail["msg"])


def _model_words(row: Target | Route, column: str, error: ValidationError) -> str:
    """Return the message for an error of a model's column."""
    if error.code == "invalid_choice" and error.params:
        choices = row._meta.get_field(column).flatchoices  # type: ignore[union-attr]
        return f'"{error.params["value"]}" is not one of {", ".join(str(key) for key, _ in choices)}'
    return " ".join(error.messages).rstrip(".")
