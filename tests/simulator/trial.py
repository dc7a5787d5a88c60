"""A whole simulation: how long, with which draws, and what must have come about in it."""

import os
import sys
from collections import Counter
from collections.abc import Set

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.simulator.draws import even

SEED = 1  # of `make test`: what fails there was made to fail by the change
LONG = 300  # examples, from which on every situation comes about by any seed: the rarest does eight times in 100


def simulate(
    machine: type[RuleBasedStateMachine],
    *,
    name: str,
    examples: int,
    steps: int,
    reached: Counter[str],
    expected: Set[str],
) -> None:
    """Run a machine, and see that it came across what it is to try.

    `NAME_EXAMPLES` and `NAME_SEED` in the environment try for longer and other ways, `NAME_SHRINK` looks for the few
    steps that matter. A short run by another seed may miss a rare situation by chance: what it came across is shown,
    and not judged.

    Args:
        examples: how many, each of `steps` steps.
        reached: counts how often each situation came about.
        expected: the situations without which the laws were not tried.
    """
    number = int(os.environ.get(f"{name}_EXAMPLES", examples))
    seed = int(os.environ.get(f"{name}_SEED", SEED))
    reached.clear()
    with even(seed) as backend:
        chosen = settings(
            backend=backend,
            max_examples=number,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if os.environ.get(f"{name}_SHRINK") else [])],
        )
        run_state_machine_as_test(machine, settings=chosen)
    met = "".join(f"{times:7} {situation}\n" for situation, times in sorted(reached.items()))
    sys.stdout.write(f"{machine.__name__}: {number} examples, {name}_SEED={seed}\n{met}")
    if number >= LONG or (number, seed) == (examples, SEED):
        least = max(3, number // 50)
        assert {situation: reached[situation] for situation in expected if reached[situation] < least} == {}
