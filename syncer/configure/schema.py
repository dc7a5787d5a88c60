"""The tables of a configuration file; the keys of a target are those of its kind."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_type_hints

from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

from syncer.models import Target
from syncer.targets.base import kinds
from syncer.targets.configuration import COLUMNS, Configuration, Text, strict

Path = tuple[str | int, ...]  # of a key: ("targets", "fakeapi", "routes", 0, "fields", "title")


@strict
class Document(TypedDict, total=False):
    targets: dict[Text, dict[str, Any]]  # each is then read by its kind


def configuration_of(table: Mapping[str, Any]) -> Configuration:
    """Return the format of a target's table; a target of an unknown kind is read as one of the default kind."""
    default = kinds()[Target._meta.get_field("kind").default]
    return kinds().get(str(table.get("kind")), default).configuration


def columns_of_keys(table: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns with another name than their key, of a target and its routes: `{"auth.user": "auth_user"}`."""
    return {**COLUMNS, **configuration_of(table).columns}


def keys_at(table: type, path: Sequence[str | int]) -> list[str]:
    """Return the keys that are allowed in the table at `path` within `table`."""
    for part in path:
        table = get_type_hints(table)[part] if isinstance(part, str) else get_args(table)[0]
    return list(get_type_hints(table))
