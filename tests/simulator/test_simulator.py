"""The whole simulation. `SIMULATOR_EXAMPLES=20000` tries for longer, `SIMULATOR_SEED=2` other ways.

What fails is told by all its steps; `SIMULATOR_SHRINK=1` looks for the few that matter. Both take minutes: give
`-o faulthandler_timeout=0`.
"""

import os
import sys

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from syncer.core.answers import Outcome
from syncer.core.decide import Action
from tests.simulator.local import reached
from tests.simulator.machine import Engine
from tests.simulator.remote import Fate

pytestmark = pytest.mark.sqlite  # it touches no database: once is enough
EXAMPLES = int(os.environ.get("SIMULATOR_EXAMPLES", "200"))
SEED = int(os.environ.get("SIMULATOR_SEED", "1"))
STEPS = 60
LEAST = 1 + EXAMPLES // 1000  # times that each situation must have come about, or the laws were not tried
WRITES = (Action.CREATE, Action.UPDATE, Action.DELETE)
MET = {
    *(f"action: {action}" for action in Action if action not in (Action.WAIT, Action.PUSH)),
    *(f"fate: {fate.name}" for fate in Fate),
    *(f"{action}: {Outcome.UNKNOWN}" for action in (*WRITES, Action.REPLAY)),
    *(f"{action}: {Outcome.PERMANENT}" for action in WRITES),
    *(f"a lookup finds {number}" for number in (0, 1)),
    f"{Action.UPDATE}: {Outcome.GONE}",
    f"{Action.LOOKUP}: {Outcome.RETRYABLE}",
    f"{Action.REPLAY}: {Outcome.DONE}",
    "a claim is taken over",
    "a late request arrives",
    "a late request arrives after its end",
    "a late worker settles nothing",
    "a person says that it arrived",
    "a person says that it is not there",
    "a record vanishes",
    "a worker dies at its work",
    "at rest",
    "children are told a new id",
    "in doubt",
    "parked",
    "parked because it is gone",
    "too late to be sent",
    "waits for another at rest",
}


def test_the_laws_hold_whatever_fails():
    reached.clear()
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if os.environ.get("SIMULATOR_SHRINK") else [])],
    )
    run_state_machine_as_test(seed(SEED)(Engine), settings=chosen)
    met = "".join(f"{times:7} {situation}\n" for situation, times in sorted(reached.items()))
    sys.stdout.write(f"{EXAMPLES} examples, SIMULATOR_SEED={SEED}\n{met}")
    assert {situation: reached[situation] for situation in MET if reached[situation] < LEAST} == {}
