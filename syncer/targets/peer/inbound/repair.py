"""Objects that are not what their edits together say, written so once they can be.

What was not valid together, an edit here may have set right: then what else a peer had edited is written too, and
nothing is left of the conflict. And what a peer told of a field that this program did not have yet is written when it
has it.
"""

from collections.abc import Collection, Iterable, Mapping

from syncer.core.merge import ASK
from syncer.models import Replica, Route
from syncer.targets.peer.inbound.batch import take_in
from syncer.targets.peer.message import Batch, Item
from syncer.targets.peer.replicas import lacking, wire_key


def mend(route: Route, replicas: Iterable[Replica], stamped: Collection[str]) -> None:
    """Write those of the objects that can be written now. As if the peer had handed in again what is known of them."""
    waiting = [
        one for one in replicas if lacking(route, one) or (one.object_key in stamped and _is_open(one.conflicts))
    ]
    if waiting:
        target = route.target
        items = tuple(Item(key=wire_key(one.object_key), state=one.state) for one in waiting)
        # Without an incarnation it says nothing of what the peer has seen.
        take_in(target, route, Batch(node=target.peer_node, writer="", items=items), user=target.peer_user)


def _is_open(conflicts: Mapping[str, str] | None) -> bool:
    return any(why != ASK for why in (conflicts or {}).values())
