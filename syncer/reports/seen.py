"""The edits of an object that a peer is known to have seen, as pages show them."""

from dataclasses import dataclass
from itertools import groupby

from syncer.core.merge import VersionVector, node_of
from syncer.models import Binding, Replica


@dataclass(frozen=True, kw_only=True)
class Known:
    """The number of known edits of one node, all its incarnations together, and how many of them the peer has seen."""

    node: str
    edits: int
    seen: int


def known_of(binding: Binding) -> tuple[list[Known], bool]:
    """Return the edits by node, and whether it is known at all what the peer has seen."""
    replica = Replica.objects.filter(model=binding.route.model, object_key=binding.object_key).first()
    there: VersionVector = binding.peer_seen or {}
    here: VersionVector = replica.seen if replica else {}
    known = []
    for node, writers in groupby(sorted({*here, *there}, key=node_of), key=node_of):
        numbers = [(here.get(writer, 0), there.get(writer, 0)) for writer in writers]
        known.append(Known(node=node, edits=sum(map(max, numbers)), seen=sum(seen for _, seen in numbers)))
    return known, binding.peer_seen is not None
