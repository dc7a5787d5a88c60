"""The whole simulation. `PEERS_EXAMPLES=20000` runs longer, `PEERS_SEED=2` takes other paths.

A failure is reported with all its steps; `PEERS_SHRINK=1` reduces them to the few that matter. Both may take minutes:
pass `-o faulthandler_timeout=0`.
"""

import pytest

from tests.simulator.peers.ledger import reached
from tests.simulator.peers.machine import Chain, Peers, Triangle, Two
from tests.simulator.trial import simulate

pytestmark = pytest.mark.sqlite  # it uses no database, so one run is enough
EXPECTED = {
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
EXPECTED_OF_THREE = {"three nodes' edits of one field"}


@pytest.mark.parametrize("machine", [Two, Chain, Triangle])
def test_all_nodes_end_equal_and_silent_and_no_edit_is_lost(machine: type[Peers]):
    expected = EXPECTED | (EXPECTED_OF_THREE if len(machine.LINKS) > 2 else set())
    simulate(machine, name="PEERS", examples=40, steps=30, reached=reached, expected=expected)
