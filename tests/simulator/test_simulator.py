"""The whole simulation. `SIMULATOR_EXAMPLES=20000` tries for longer, `SIMULATOR_SEED=2` other ways.

A failure is reported with all its steps; `SIMULATOR_SHRINK=1` searches for the few that matter. Both take minutes: give
`-o faulthandler_timeout=0`.
"""

import pytest

from syncer.core.decide import Action
from syncer.core.outcome import Outcome
from tests.simulator.dialect import Dialect
from tests.simulator.local import reached
from tests.simulator.machine import STRANGERS, Engine
from tests.simulator.remote import Fate
from tests.simulator.rows import LEASE_SECONDS
from tests.simulator.trial import simulate

pytestmark = pytest.mark.sqlite  # it touches no database: once is enough
WRITES = (Action.CREATE, Action.UPDATE, Action.DELETE)
MET = {
    *(f"action: {action}" for action in Action if action not in (Action.WAIT, Action.PUSH, Action.REJECT)),
    *(f"fate: {fate.name}" for fate in Fate),
    *(f"{action}: {Outcome.UNKNOWN}" for action in (*WRITES, Action.REPLAY)),
    *(f"{action}: {Outcome.PERMANENT}" for action in WRITES),
    *(f"a lookup finds {number}" for number in (0, 1, 2)),
    f"{Action.UPDATE}: {Outcome.GONE}",
    f"{Action.LOOKUP}: {Outcome.RETRYABLE}",
    f"{Action.REPLAY}: {Outcome.DONE}",
    *(f"{action}: {Outcome.MADE}" for action in (Action.CREATE, Action.REPLAY)),
    *(f"{action}: {Outcome.FORBIDDEN}" for action in WRITES),
    *(f"{action}: {Outcome.CONFIGURATION}" for action in WRITES),
    f"{Action.CREATE}: {Outcome.TAKEN}",
    f"{Action.DELETE}: {Outcome.GONE}",
    *(f"somebody adds a post: {what}" for what in STRANGERS),
    "a field is renamed",
    "a field is renamed while a create is unanswered",
    "a filtered list is not enough",
    "a gateway answers everything",
    "a claim is taken over",
    "a late request arrives",
    "a late request arrives after its end",
    "a late worker settles nothing",
    "a person says that it arrived",
    "a person says that it is not there",
    "a record vanishes",
    "a worker dies at its work",
    "at rest",
    "children get a new id",
    "held",
    "held before its first plan",
    "in doubt",
    "refused objects are tried again",
    "rejected",
    "rejected because it is gone",
    "released",
    "too late to be sent",
    "waits for another at rest",
}


def test_the_laws_hold_whatever_fails():
    simulate(Engine, name="SIMULATOR", examples=200, steps=60, reached=reached, expected=MET)


def test_a_worker_whose_claims_were_all_taken_over_commits_what_it_claims_next():
    """It sent a create that nobody had committed, which came out as two records: found by SIMULATOR_SEED=2."""
    engine = Engine()
    routes = dict.fromkeys(("can_look_up", "recreate", "patch", "has_filter"), False)
    engine.begin(Dialect(honors_filters=False, strict=False), routes, is_synced=True)
    edits = [("delete", "posts", 0, 0, "A"), ("save", "comments", 0, 0, "A")]
    engine.overtake(0, "posts", 1, edits[:1], [Fate.ARRIVES], (0.0, False))
    engine.overtake(0, "comments", 1, edits[1:], [Fate.FORBIDDEN], (LEASE_SECONDS, False))
    engine.sync(0, [Fate.FAILED_AFTER], (0.0, False))
    engine.only_an_unanswered_create_keeps_its_body()
    engine.teardown()
