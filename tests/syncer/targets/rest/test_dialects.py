"""Every server in every situation: in the end both sides are equal, and no object ever has two records.

What a person has to decide is decided; which cells need a person is a part of the table. Variants of one kind of server
meet only the situations in which their kind matters. Before a commit, each server meets two situations.
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from tests.syncer.targets.rest.servers import NORMALISING, PAGED, SERVERS, Server
from tests.syncer.targets.rest.situations import ASKS, SITUATIONS, World

pytestmark = pytest.mark.django_db(transaction=True)
LOOKED_UP = "create lost after"
VARIANTS = {server.name for server in (*NORMALISING[1:], *PAGED[1:])}
MATTERS = (LOOKED_UP, "deleted while open", "both had data", "mass delete")


def cells() -> Iterator[Any]:
    databases = cycle(("sqlite", "postgres"))
    for number, server in enumerate(SERVERS):
        names = MATTERS if server.name in VARIANTS else tuple(SITUATIONS)
        others = [name for name in names if name != LOOKED_UP]
        before_a_commit = (LOOKED_UP, others[number % len(others)])
        for name in names:
            mark = pytest.mark.quick(next(databases)) if name in before_a_commit else pytest.mark.slow
            yield pytest.param(server, name, id=f"{server.name}-{name}", marks=mark)


@pytest.mark.parametrize(("server", "situation"), list(cells()))
def test_both_sides_end_equal_and_nothing_is_doubled(target, remote, server: Server, situation: str):
    world = World(target, remote, server)
    SITUATIONS[situation](world)
    world.end()
    if situation not in ASKS:
        assert bool(world.decisions) == (situation in server.asks)
    assert server.blocked in (world.blocked or server.blocked)
