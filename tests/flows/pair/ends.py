"""Both databases, compared: the orders, and what is known of their edits."""

from collections.abc import Iterator
from typing import Any

from tests.flows.pair.node import Pair, RealNode, Row

ORDERS = "SELECT id::text, product_name, quantity, status, created_at FROM orders_order"
REPLICAS = """SELECT object_key, seen, fields FROM syncer_replica WHERE seen::text <> '{}'"""
UNDONE = """
    SELECT (SELECT count(*) FROM syncer_binding WHERE wanted > delivered OR unconfirmed)
         + (SELECT count(*) FROM syncer_run WHERE finished_at IS NULL) AS undone
"""


def orders(node: RealNode) -> dict[str, Row]:
    return {row.pop("id"): row for row in node.rows(ORDERS)}


def replicas(node: RealNode) -> dict[str, Row]:
    return {row.pop("object_key").replace("-", ""): row for row in node.rows(REPLICAS)}


def undone(pair: Pair) -> int:
    """What some node still has to do."""
    return sum(node.rows(UNDONE)[0]["undone"] for node in pair.values())


def conflicts(node: RealNode) -> list[Row]:
    return node.rows("SELECT object_key, conflicts FROM syncer_replica WHERE conflicts IS NOT NULL")


def are_equal(pair: Pair) -> bool:
    return not any(differences(pair))


def differences(pair: Pair) -> Iterator[str]:
    for what, read in (("order", orders), ("replica", replicas)):
        ours, theirs = read(pair.store), read(pair.warehouse)
        for key in sorted(ours.keys() | theirs.keys()):
            if ours.get(key) != theirs.get(key):
                yield f"{what} {key}: {_part(ours.get(key), theirs.get(key))}"


def _part(ours: "Row | None", theirs: "Row | None") -> str:
    """What of it differs."""
    if ours is None or theirs is None:
        return f"{ours} at the store, {theirs} at the warehouse"
    found: dict[str, Any] = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
    return f"{found}"


HISTORY = "SELECT * FROM orders_historicalorder WHERE id::text = %s ORDER BY history_id"
REPLICA = "SELECT * FROM syncer_replica WHERE replace(object_key, '-', '') = replace(%s, '-', '')"
BINDING = "SELECT * FROM syncer_binding WHERE replace(object_key, '-', '') = replace(%s, '-', '')"


def story(pair: Pair, key: str) -> str:
    """All that both nodes know of an order, for whoever has to find out what became of it."""
    found = [
        f"{name}: {row}"
        for name, node in pair.items()
        for query in (HISTORY, REPLICA, BINDING)
        for row in node.rows(query, key)
    ]
    return "\n".join([f"--- {key}", *found])
