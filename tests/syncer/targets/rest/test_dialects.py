"""Every server in every situation: in the end both sides are equal, and no object ever has two records.

What a person has to decide is decided; which cells need a person is a part of the table.
"""

import pytest

from tests.syncer.targets.rest.servers import SERVERS, Server
from tests.syncer.targets.rest.situations import ASKS, SITUATIONS, World

pytestmark = pytest.mark.django_db(transaction=True)
CELLS = [pytest.param(server, name, id=f"{server.name}-{name}") for server in SERVERS for name in SITUATIONS]


@pytest.mark.parametrize(("server", "situation"), CELLS)
def test_both_sides_end_equal_and_nothing_is_doubled(target, remote, server: Server, situation: str):
    world = World(target, remote, server)
    SITUATIONS[situation](world)
    world.end()
    if situation not in ASKS:
        asks = bool(server.asks & {situation, "*"})
        assert bool(world.decisions) == asks
    assert server.blocked in (world.blocked or server.blocked)
