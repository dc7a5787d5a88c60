"""Objects that could not be written as their edits together say, tried again after an edit here.

Who edits such an object may well set right what was wrong with it. Then what else a peer had edited is written too, so
that nothing is left of the conflict.
"""

from collections.abc import Iterable

from syncer.core.replica import ASK
from syncer.models import Replica, Route
from syncer.peers.inbound import take_in
from syncer.peers.message import Batch, Item
from syncer.peers.replicas import wire_key


def mend(route: Route, stamped: Iterable[Replica]) -> None:
    """Write those of the objects that can be written now. As if the peer had handed in again what is known of them."""
    waiting = [one for one in stamped if any(why != ASK for why in (one.conflicts or {}).values())]
    if waiting:
        target = route.target
        items = tuple(Item(key=wire_key(one.object_key), state=one.state) for one in waiting)
        # Without an incarnation it says nothing of what the peer has seen.
        take_in(target, route, Batch(node=target.peer_node, writer="", items=items), user=target.peer_user)
