"""Every server in every situation: in the end both sides are equal, and no object ever has two records.

What a person has to decide is decided; which cells need a person is a part of the table. One server of each kind meets
every situation; its variants meet a lost create, records that are there already, and one situation in turn. Before a
commit, each server meets two; in CI every second one of the others too, so that half of the servers meet each.
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from tests.syncer.targets.rest.server import Server
from tests.syncer.targets.rest.servers import SERVERS
from tests.syncer.targets.rest.situations import ASKS, SITUATIONS, World

pytestmark = pytest.mark.django_db(transaction=True)
LOOKED_UP, THERE = "create lost after", "both had data"
KINDS = {
    *("lower case", "data", "JSON:API", "_id", "UUIDs", "a number in answers, a text in lists", "given ids"),
    *("Link", "a cursor", "201 without a body", "202 and later", "303", "errors in 200", "unique, 422", "ETags"),
    *("closing connections", "slow deletes", "deleted records stay listed", "_id, unsaid", "a silent cut"),
}


def cells() -> Iterator[Any]:
    databases = cycle(("sqlite", "postgres"))
    for number, server in enumerate(SERVERS):
        others = [name for name in SITUATIONS if name not in (LOOKED_UP, THERE)]
        before_a_commit = (LOOKED_UP, others[number % len(others)])
        for turn, name in enumerate(SITUATIONS if server.name in KINDS else (*before_a_commit, THERE)):
            if name in before_a_commit:
                mark = pytest.mark.quick(next(databases))
            else:
                mark = (pytest.mark.slow, pytest.mark.thorough)[(turn + number) % 2]
            yield pytest.param(server, name, id=f"{server.name}-{name}", marks=mark)


@pytest.mark.parametrize(("server", "situation"), list(cells()))
def test_both_sides_end_equal_and_nothing_is_doubled(target, remote, server: Server, situation: str):
    world = World(target, remote, server)
    SITUATIONS[situation](world)
    world.end()
    if situation not in ASKS:
        assert bool(world.decisions) == (situation in server.asks)
    assert server.blocked in (world.blocked or server.blocked)
