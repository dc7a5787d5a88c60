"""The other end of `make demo`'s second act: edited by its API; its database shows what it sent."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from uuid import UUID

import requests

from tools.demo_day import records, sign_in
from tools.nodes import Node, manage

PATH = "/api/orders/"
# The orders sent since an attempt, each with the time of its request, which all orders in one request share.
HANDED_OVER = """
    SELECT binding.object_key, attempt.at FROM syncer_attempt AS attempt
    JOIN syncer_binding AS binding ON binding.id = attempt.binding_id WHERE attempt.action = 'push' AND attempt.id > ?
"""

Edit = Mapping[str, object] | None  # the fields to write; None deletes the order
HandedOver = list[tuple[UUID, str]]  # an order, and the request that carried it


class Warehouse:
    """A node on this machine, edited by `user`."""

    def __init__(self, node: Node, user: str, password: str) -> None:
        self.node = node
        self._headers = sign_in(node.address, user, password)

    def create(self, key: UUID, values: Mapping[str, object]) -> None:
        self._write("POST", PATH, {"id": str(key), **values})

    def edit(self, key: UUID, edit: Edit) -> None:
        self._write("DELETE" if edit is None else "PATCH", f"{PATH}{key}/", edit)

    def _write(self, method: str, path: str, body: Edit) -> None:
        address = f"{self.node.address}{path}"
        requests.request(method, address, json=body, headers=self._headers, timeout=10).raise_for_status()

    def orders(self) -> dict[UUID, dict[str, Any]]:
        return {UUID(record["id"]): record for record in records(self.node.address, PATH, self._headers)}

    def sync(self) -> HandedOver:
        """Sync to the store; return the orders sent."""
        [(newest,)] = self._rows("SELECT coalesce(max(id), 0) FROM syncer_attempt")
        manage(self.node, "sync_now", "store")
        return [(UUID(key), f"warehouse {at}") for key, at in self._rows(HANDED_OVER, newest)]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.node.database)) as database:
            return database.execute(query, values).fetchall()
