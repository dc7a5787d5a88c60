"""The whole simulation. `PEERS_EXAMPLES=20000` tries for longer, `PEERS_SEED=2` other ways.

A failure is reported with all its steps; `PEERS_SHRINK=1` searches for the few that matter. Both may take minutes: give
`-o faulthandler_timeout=0`.
"""

import pytest

from tests.simulator.peers.ledger import reached
from tests.simulator.peers.machine import Chain, Peers, Triangle, Two
from tests.simulator.trial import simulate

pytestmark = pytest.mark.sqlite  # it touches no database: once is enough
MET = {
    "a delete meets an edit",
    "a message of an older life",
    "a node dies while it takes in",
    "a node is put back",
    "a node is put back twice to one backup",
    "a person decides",
    "a person is asked",
    "a person is asked whether it is there",
    "a repeated message",
    "a worker dies at its work",
    "an answer is lost, then it is edited",
    "an answer of or to an older life",
    "an edit loses to a delete",
    "an object is back after a delete that lost",
    "at rest",
    "edits of two lives of a node",
    "several edits of one field",
    "several equal edits of one field",
    "something is doubled",
    "something is lost",
    "something is overtaken",
    "something old arrives once more",
    "the edit with the latest time loses",
    "the peer has seen it all",
    "two that never met",
}
MET_BY_THREE = {"three nodes' edits of one field"}


@pytest.mark.parametrize("machine", [Two, Chain, Triangle])
def test_all_nodes_end_equal_and_silent_and_no_edit_is_lost(machine: type[Peers]):
    expected = MET | (MET_BY_THREE if len(machine.LINKS) > 2 else set())
    simulate(machine, name="PEERS", examples=40, steps=30, reached=reached, expected=expected)
