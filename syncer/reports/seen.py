"""The edits of an object that a peer is known to have seen, as pages show them."""

from dataclasses import dataclass

from syncer.core.merge import VersionVector, node_of
from syncer.models import Binding, Replica


@dataclass(frozen=True, kw_only=True)
class Known:
    """The edits of one node, all its incarnations together.

    Attributes:
        edits: how many edits are known.
        seen: how many of them the peer has seen.
    """

    node: str
    edits: int
    seen: int


def known_of(binding: Binding) -> tuple[list[Known], bool]:
    """Return the edits by node, and whether it is known at all what the peer has seen."""
    replica = Replica.objects.filter(model=binding.route.model, object_key=binding.object_key).first()
    there: VersionVector = binding.peer_seen or {}
    here: VersionVector = replica.seen if replica else {}
    nodes = sorted({node_of(writer) for writer in {*here, *there}})
    return [_known(node, here, there) for node in nodes], binding.peer_seen is not None


def _known(node: str, here: VersionVector, there: VersionVector) -> Known:
    writers = [writer for writer in {*here, *there} if node_of(writer) == node]
    edits = sum(max(here.get(writer, 0), there.get(writer, 0)) for writer in writers)
    return Known(node=node, edits=edits, seen=sum(there.get(writer, 0) for writer in writers))
