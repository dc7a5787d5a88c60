"""The process of one editor: `python -m tests.flows.pair.editing SEED UNTIL ADDRESS FILE`, with a node's settings.

It writes by the ORM and by the node's API; where the API does not say what became of a write, it is done by the ORM.
Its books, which FILE gets, hold only what is sure.
"""

import json
import os
import random
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django
import requests

if TYPE_CHECKING:
    from tests.flows.pair.books import Write

PAUSE = 0.12  # seconds between two writes, on average
HOT = 6  # orders that both ends edit most
STATUSES = ("PENDING", "SHIPPED", "DELIVERED")
API_SECONDS = 10
KINDS = {"create": 2.0, "edit": 12.0, "delete": 1.0}


class Editor:
    """Edits at random; its values say who wrote them, and are never the same twice."""

    def __init__(self, seed: str, address: str) -> None:
        self.node = os.environ["BACKOFFICE_NODE"]
        self.choice = random.Random(f"{seed}/{self.node}")
        self.url = f"{address}/api/orders/"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {api_key()}"
        self.writes: list[Write] = []
        self.number = 0

    def run(self, until: float) -> None:
        while time.time() < until:
            kind = self.choice.choices(list(KINDS), list(KINDS.values()))[0]
            key = UUID(int=self.choice.getrandbits(128), version=4) if kind == "create" else self.pick(kind)
            if key is not None:
                self.write(kind, key, {} if kind == "delete" else self.values(kind))
            time.sleep(self.choice.expovariate(1 / PAUSE))  # as people do; nothing is waited for

    def pick(self, kind: str) -> "UUID | None":
        """Of the orders that are here now; the hot ones are not deleted."""
        from content.orders.models import Order

        keys = list(Order.objects.order_by("created_at", "pk").values_list("pk", flat=True))
        hot, others = keys[:HOT], keys[HOT:]
        among = hot if kind == "edit" and self.choice.random() < 0.5 else others
        return self.choice.choice(among) if among else None

    def values(self, kind: str) -> dict[str, Any]:
        self.number += 1
        found = {
            "product_name": f"{self.node} {self.number}",
            "quantity": 2 * self.number + (self.node == "store"),
            "status": self.choice.choice(STATUSES),
        }
        if kind == "create":
            return found
        return {name: found[name] for name in self.choice.sample(sorted(found), self.choice.choice((1, 1, 2)))}

    def write(self, kind: Any, key: UUID, values: dict[str, Any]) -> None:
        """By one of the doors; noted when it is sure."""
        from tests.flows.pair.books import Write

        door = self.choice.choice(("orm", "api"))
        done = self.by_api(kind, key, values) if door == "api" else None
        if done is None:
            door = "orm"
            done = self.by_orm(kind, key, values)
        if done:
            self.writes.append(Write(kind=kind, key=str(key), values=values, door=door))

    def by_api(self, kind: str, key: UUID, values: dict[str, Any]) -> "bool | None":
        """Whether it was done; None: nobody says."""
        method, path, body = {
            "create": ("POST", self.url, {"id": str(key), **values}),
            "edit": ("PATCH", f"{self.url}{key}/", values),
            "delete": ("DELETE", f"{self.url}{key}/", None),
        }[kind]
        try:
            answer = self.http.request(method, path, json=body, timeout=API_SECONDS)
        except requests.RequestException:
            return None
        if answer.status_code == 404:
            return False
        return True if answer.ok else None

    def by_orm(self, kind: str, key: UUID, values: dict[str, Any]) -> bool:
        """Whether it was done; False: the order is gone."""
        from django.db import transaction

        from content.orders.models import Order

        with transaction.atomic():
            order = Order.objects.select_for_update().filter(pk=key).first()
            if kind == "create" and order is None:
                Order.objects.create(pk=key, **values)
            elif order is None:
                return kind == "delete"  # what the API may have done before
            elif kind == "delete":
                order.delete()
            else:
                for name, value in values.items():
                    setattr(order, name, value)
                order.save(update_fields=list(values))
        return True


def api_key() -> str:
    """One of a new user, who may do everything."""
    from django.utils import timezone

    from backoffice.accounts.models import ApiKey, User

    user = User.objects.create_superuser(f"editor-{os.getpid()}")
    key = ApiKey(user=user, name="editor", full_access=True, expires=timezone.now() + timedelta(days=1))
    whole = key.seal()
    key.save()
    return whole


def main() -> None:
    seed, until, address, file = sys.argv[1:]
    django.setup()
    editor = Editor(seed, address)
    editor.run(float(until))
    Path(file).write_text(json.dumps([asdict(one) for one in editor.writes]))


if __name__ == "__main__":
    main()
