"""Reads a configuration file. Keys with an unknown name or a value of the wrong type are reported and removed.

The models then validate the rest, so that all faults are reported at once.
"""

import tomllib
from pathlib import Path as File
from typing import Any

from pydantic import TypeAdapter, ValidationError

from syncer.configure.faults import ConfigurationError, Fault, Faults, words_of
from syncer.configure.schema import Document, Path, configuration_of

Targets = dict[str, dict[str, Any]]  # the table of each target, by name


def read(file: File, faults: Faults) -> Targets:
    """Return the targets that the file names, each with the keys that its kind allows.

    Raises:
        ConfigurationError: the file can't be read, or is not TOML.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(Fault("", f"The file can't be read: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(Fault("", "The file is not UTF-8 text")) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number of thousands of digits
        raise ConfigurationError(Fault("", f"This is not TOML: {error}")) from error
    if not data.get("targets"):
        faults.report(("targets",), "The file names no target; one begins with [targets.NAME]")
    _remove_faulty_keys(data, Document, (), faults)
    targets: Targets = data.get("targets", {})
    for name, table in targets.items():
        _remove_faulty_keys(table, configuration_of(table).table, ("targets", name), faults)
    return targets


def _remove_faulty_keys(table: dict[str, Any], schema: type, place: Path, faults: Faults) -> None:
    """Report and remove the keys of `table`, at `place` in the file, that do not conform to `schema`."""
    try:
        TypeAdapter(schema).validate_python(table)
    except ValidationError as refused:
        for detail in refused.errors():
            # "[key]" follows a key that is itself wrong, unless it is the name of an unknown one.
            *parents, key = [part for part in detail["loc"] if part != "[key]" or detail["type"] == "extra_forbidden"]
            faults.refuse((*place, *parents, key), words_of(detail, schema))
            holder: Any = table
            for part in parents:
                holder = holder[part]
            if isinstance(key, int):
                holder[key] = {}  # so that the later items keep their numbers
            else:
                holder.pop(key, None)
