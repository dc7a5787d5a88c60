"""The keys of a configuration file, and the columns that they are for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError


@dataclass(frozen=True)
class Key:
    """A key of the file: the column it is for, and the TOML type it must have.

    Attributes:
        read: makes the column's value of it; raises ValidationError.
    """

    column: str
    type: type
    required: bool = False
    read: Callable[[Any], Any] = lambda value: value


def user_named(name: str) -> Any:
    """The account.

    Raises:
        ValidationError: there is none.
    """
    users = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(name)
    except users.DoesNotExist as error:
        raise ValidationError(f"There is no user {name!r} here; make that account first") from error


TARGET_KEYS = {
    "title": Key("title", str),
    "kind": Key("kind", str),
    "url": Key("url", str, required=True),
    "enabled": Key("enabled", bool),
    "concurrency": Key("concurrency", int),
    "timeout": Key("timeout", int),
    "allow_private": Key("allow_private", bool),
}
AUTH_KEYS = {
    "type": Key("auth", str, required=True),
    "user": Key("auth_user", str),
    "secret": Key("auth_secret", str),
    "header": Key("auth_header", str),
    "url": Key("auth_url", str),
}
PEER_KEYS = {
    "node": Key("peer_node", str, required=True),
    "user": Key("peer_user", str, required=True, read=user_named),
    "matching": Key("matching", str),
}
ROUTE_KEYS = {
    "model": Key("model", str, required=True),
    "path": Key("path", str, required=True),
    "fields": Key("fields", dict, required=True),
    "enabled": Key("enabled", bool),
    "create_path": Key("create_path", str),
    "lookup": Key("lookup", list),
    "filter": Key("filter", dict),
    "trigger": Key("trigger", str),
    "update": Key("update", str),
    "missing": Key("missing", str),
    "key_hours": Key("key_hours", int),
    "id": Key("id_field", str),
    "items": Key("items_field", str),
    "next": Key("next_field", str),
}
PEER_ROUTE_KEYS = {
    "model": Key("model", str, required=True),
    "natural_key": Key("lookup", list),
    "authority": Key("authority", dict),
    "enabled": Key("enabled", bool),
    "trigger": Key("trigger", str),
}
OF_TARGETS = tuple(key.column for keys in (TARGET_KEYS, AUTH_KEYS, PEER_KEYS) for key in keys.values())
OF_ROUTES = tuple({key.column: key for keys in (ROUTE_KEYS, PEER_ROUTE_KEYS) for key in keys.values()})
