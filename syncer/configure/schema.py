"""The tables of a configuration file: their keys, and the TOML type of each.

What a value may be is for the models to say (`clean`), so that the file and the admin's forms refuse the same things.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Required, get_args, get_type_hints

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

from syncer.targets.peer import PEER
from syncer.targets.rest import REST

Path = tuple[str | int, ...]  # of a key: ("targets", "fakeapi", "routes", 0, "fields", "title")
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]  # PostgreSQL keeps no NUL
strict = with_config(ConfigDict(strict=True, extra="forbid"))


@strict
class Document(TypedDict, total=False):
    targets: dict[Text, dict[str, Any]]  # each is then read by its kind


@strict
class Auth(TypedDict, total=False):
    type: Required[Text]
    user: Text
    secret: Text
    header: Text
    url: Text


class CommonKeys(TypedDict, total=False):
    title: Text
    kind: Text
    url: Required[Text]
    enabled: bool
    concurrency: int
    timeout: int
    allow_private: bool
    auth: Auth


# --- a REST service ---------------------------------------------------------------------------------------------------
@strict
class RestRoute(TypedDict, total=False):
    model: Required[Text]
    path: Required[Text]
    fields: Required[dict[str, Any]]
    enabled: bool
    create_path: Text
    lookup: list[Any]
    filter: dict[str, Any]
    trigger: Text
    update: Text
    missing: Text
    key_hours: int
    id: Text
    items: Text
    next: Text


@strict
class RestTarget(CommonKeys, total=False):
    routes: list[RestRoute]


# --- a peer -----------------------------------------------------------------------------------------------------------
@strict
class Peer(TypedDict, total=False):
    node: Required[Text]
    user: Required[Text]
    matching: Text


@strict
class PeerRoute(TypedDict, total=False):
    model: Required[Text]
    natural_key: list[Any]
    authority: dict[str, Any]
    enabled: bool
    trigger: Text


@strict
class PeerTarget(CommonKeys, total=False):
    peer: Required[Peer]
    routes: list[PeerRoute]


# --- all kinds --------------------------------------------------------------------------------------------------------
KINDS: dict[str, type] = {REST: RestTarget, PEER: PeerTarget}
COLUMNS = {  # of the keys whose column has another name
    "auth.type": "auth",
    "auth.user": "auth_user",
    "auth.secret": "auth_secret",
    "auth.header": "auth_header",
    "auth.url": "auth_url",
    "peer.node": "peer_node",
    "peer.user": "peer_user",
    "peer.matching": "matching",
    "id": "id_field",
    "items": "items_field",
    "next": "next_field",
    "natural_key": "lookup",
}


def kind_of(table: Mapping[str, Any]) -> type:
    """Return what a target's table may hold; one whose kind is unknown is read as a REST service, the default."""
    return KINDS.get(str(table.get("kind")), RestTarget)


def keys_at(table: Any, path: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand in the table at `path` within `table`."""
    for part in path:
        table = get_type_hints(table)[part] if isinstance(part, str) else get_args(table)[0]
    return list(get_type_hints(table))
