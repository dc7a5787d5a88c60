"""The whole simulation. `PEERS_EXAMPLES=20000` tries for longer, `PEERS_SEED=2` other ways.

What fails is told by all its steps; `PEERS_SHRINK=1` looks for the few that matter. Both may take minutes: give
`-o faulthandler_timeout=0`.
"""

import os
import sys

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulator.peers.draws import even
from tests.simulator.peers.ledger import reached
from tests.simulator.peers.machine import Chain, Peers, Triangle, Two

pytestmark = pytest.mark.sqlite  # it touches no database: once is enough
EXAMPLES = int(os.environ.get("PEERS_EXAMPLES", "150"))
SEED = int(os.environ.get("PEERS_SEED", "1"))
STEPS = 30


@pytest.mark.parametrize("machine", [Two, Chain, Triangle])
def test_all_nodes_end_equal_and_silent_and_no_edit_is_lost(machine: type[Peers]):
    reached.clear()
    with even(SEED) as backend:
        chosen = settings(
            backend=backend,
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if os.environ.get("PEERS_SHRINK") else [])],
        )
        run_state_machine_as_test(machine, settings=chosen)
    met = "".join(f"{times:7} {situation}\n" for situation, times in sorted(reached.items()))
    sys.stdout.write(f"{machine.__name__}: {EXAMPLES} examples, PEERS_SEED={SEED}\n{met}")
