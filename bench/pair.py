"""Two real nodes, a store and a warehouse, that sync orders as peers.

Each has its PostgreSQL database, web server and worker, and fetches a token by a password. The line `peers` edits 5,000
orders at the store by one statement, and waits until the warehouse has all of them. The line `latency` saves single
orders in the store's admin: from just before the form is sent until the warehouse's row has the new value.

The rival of both is one request to the warehouse's API for each order, with an API key: what a signal would send inside
the save. It would also lose the change where the warehouse does not answer.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import requests

from bench.admin import Admin
from bench.cpu import Meter, family
from bench.harness import Contestant, Figure, faster, pick, race
from bench.stage import PASSWORD, Server
from tests.flows.pair import ends
from tests.flows.pair.node import KEY, Pair
from tests.flows.wait import until

ORDERS = pick(5_000, 50)
CALLS = pick(300, 3)
SAVES = pick(40, 2)
GOAL = 1.0  # seconds from the save to the warehouse
SECONDS = 240  # until whatever is waited for must have happened
TIMEOUT = 30  # seconds until a request is given up: the pair's 2 are too few on a busy machine
LOOK = 0.002  # seconds between two looks for a save
SEED = """
    INSERT INTO orders_order (id, product_name, quantity, status, created_at, updated_at)
    SELECT gen_random_uuid(), 'Product ' || n, 5, 'PENDING', now() - n * interval '1 second', now()
    FROM generate_series(1, %s) AS n RETURNING id::text
"""


def measure(server: Server, lines: Sequence[str]) -> list[Figure]:
    folder = server.folder / "pair"
    folder.mkdir()
    with Pair.of(server.url, folder) as pair:
        pair.introduce({name: node.address for name, node in pair.items()}, sign_in="password")
        for node in pair.values():
            node.manage("ensure_admin", BACKOFFICE_ADMIN_PASSWORD=PASSWORD)
            node.rows("UPDATE syncer_target SET timeout = %s RETURNING 1", TIMEOUT)
        keys = [row["id"] for row in pair.store.rows(SEED, ORDERS)]
        pair.start()
        bench = Bench(pair, keys, server)
        bench.rest()
        works: dict[str, Callable[[], Iterator[Figure]]] = {"peers": bench.peers, "latency": bench.latency}
        return [figure for line in lines for figure in works[line]()]


class Bench:
    def __init__(self, pair: Pair, keys: list[str], server: Server) -> None:
        self.pair, self.keys = pair, keys
        self.quantity = 1000
        self.admin = Admin(pair.store.address, "admin", PASSWORD)
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {pair.store.node.environment[KEY]}"
        databases = [node.database.rpartition("/")[2] for node in pair.values()]
        self.cpu = Meter(server, databases, family(os.getpid()) - {os.getpid()})

    # --- many orders -------------------------------------------------------------------------------------------------
    def peers(self) -> Iterator[Figure]:
        costs = race(
            Contestant(name="rest", work=self.call_many, cpu=self.cpu, prepare=self.stop_warehouse),
            Contestant(name="peers", work=self.edit_many, cpu=self.cpu, prepare=self.start_warehouse),
        )
        work = f"peers: {ORDERS:,} edited orders, until both are equal; an order"
        against = f"a REST request each, {CALLS} of them"
        yield faster("peers", work, costs["peers"], costs["rest"], against=against, goal=20, by="clock")

    def edit_many(self) -> int:
        self.quantity += 1
        self.pair.store.rows("UPDATE orders_order SET quantity = %s RETURNING 1", self.quantity)
        missing = "SELECT 1 FROM orders_order WHERE quantity <> %s LIMIT 1"
        until(lambda: not self.pair.warehouse.rows(missing, self.quantity), seconds=SECONDS)
        until(lambda: ends.undone(self.pair) == 0, seconds=SECONDS)
        return ORDERS

    def call_many(self) -> int:
        self.quantity += 1
        for key in self.keys[:CALLS]:
            self.call(key, self.quantity)
        return CALLS

    def stop_warehouse(self) -> None:
        """Let the warehouse not send back what is edited there: the rival's requests alone are measured."""
        self.start_warehouse()
        self.pair.warehouse.rows("UPDATE syncer_target SET enabled = false RETURNING 1")

    def start_warehouse(self) -> None:
        self.pair.warehouse.rows("UPDATE syncer_target SET enabled = true RETURNING 1")
        self.rest()

    # --- one order ---------------------------------------------------------------------------------------------------
    def latency(self) -> Iterator[Figure]:
        self.start_warehouse()
        samples = [self.save(key) for key in self.keys[:SAVES]]
        calls = [self.timed_call(key) for key in self.keys[:SAVES]]
        arrived = sorted(sample[1] for sample in samples)
        median = statistics.median(arrived)
        beside = {
            "99 %": arrived[max(0, round(0.99 * len(arrived)) - 1)] * 1000,
            "of it, the save": statistics.median(saved for saved, _ in samples) * 1000,
            "a request inside the save": statistics.median(calls) * 1000,
        }
        yield Figure(
            line="latency",
            work=f"from a save in the admin to the warehouse, {SAVES} saves",
            against="the limit",
            unit="ms clock",
            ours=median * 1000,
            rival=GOAL * 1000,
            ratio=median / GOAL,
            goal=1.0,
            at_most=True,
            beside=beside,
        )

    def save(self, key: str) -> tuple[float, float]:
        """Return the seconds from the save until its answer, and until its arrival at the warehouse."""
        self.quantity += 1
        path = f"/admin/orders/order/{key}/change/"
        form = self.admin.form(path) | {"quantity": str(self.quantity)}
        begin = time.perf_counter()
        self.admin.save(path, form)
        saved = time.perf_counter() - begin
        over = time.monotonic() + SECONDS
        while self.pair.warehouse.rows("SELECT quantity FROM orders_order WHERE id = %s", key) != [
            {"quantity": self.quantity}
        ]:
            assert time.monotonic() < over, "it did not arrive"
            time.sleep(LOOK)
        arrived = time.perf_counter() - begin
        self.rest()
        return saved, arrived

    def timed_call(self, key: str) -> float:
        self.quantity += 1
        begin = time.perf_counter()
        self.call(key, self.quantity)
        spent = time.perf_counter() - begin
        self.rest()
        return spent

    def call(self, key: str, quantity: int) -> None:
        url = f"{self.pair.warehouse.address}/api/orders/{key}/"
        self.http.patch(url, json={"quantity": quantity}, timeout=30).raise_for_status()

    def rest(self) -> None:
        """Wait until both nodes are equal and have nothing to do."""
        until(lambda: ends.undone(self.pair) == 0 and ends.are_equal(self.pair), seconds=SECONDS)
