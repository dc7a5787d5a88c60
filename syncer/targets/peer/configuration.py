"""The keys of a peer in a configuration file."""

from typing import Any, Required

from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

from syncer.targets.configuration import CommonKeys, Configuration, Text, strict


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


PEER_CONFIGURATION = Configuration(
    table=PeerTarget,
    columns={
        "peer.node": "peer_node",
        "peer.user": "peer_user",
        "peer.matching": "matching",
        "natural_key": "lookup",
    },
)
