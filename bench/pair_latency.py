"""Measure the time from a save in the store's admin until it is in the warehouse's database: `make bench`.

Two real nodes, each with its PostgreSQL database, web server and worker, otherwise idle. The clock runs from just
before the form is sent until the warehouse's row holds the new value, so it includes the save itself. It is measured
with peers that sign in by a password, for which each run fetches a token, and again by an API key.

For comparison, the request that a signal would send inside the save, and that the person would wait for: the same edit
by the warehouse's API, by an API key.
"""

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import requests

from bench.admin import Admin
from tests import postgres
from tests.flows.pair import ends
from tests.flows.pair.node import KEY, Pair
from tests.flows.wait import until
from tools.run import say

SAVES = 100
GOAL = 1.0  # seconds, of the median
PASSWORD = "only-for-this-benchmark"
SECONDS = 60  # until whatever is waited for must have happened
LOOK = 0.002  # seconds between two checks
SIGN_INS = ("password", "key")


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # otherwise the nodes would keep running
    saves = int(sys.argv[1]) if len(sys.argv) > 1 else SAVES
    medians = [run(sign_in, saves) for sign_in in SIGN_INS]
    return 0 if max(medians) < GOAL else 1


def run(sign_in: str, saves: int) -> float:
    """Print the figures of a pair whose peers sign in by `sign_in`; return the median in seconds."""
    with ExitStack() as stack:
        server = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-bench-")))
        pair = stack.enter_context(Pair.of(server, folder))
        prepare(pair, sign_in)
        admin = Admin(pair.store.address, "admin", PASSWORD)
        keys = sorted(ends.orders(pair.store))
        samples = [measure(pair, admin, keys[number % len(keys)], number) for number in range(saves)]
        calls = [call(pair, keys[number % len(keys)], saves + number) for number in range(saves)]
    say(f"Peers sign in by {sign_in}:")
    show("  from the save to the warehouse", [arrived for _, arrived in samples])
    show("  of it, the save in the admin", [saved for saved, _ in samples])
    show("  for comparison, a request inside the save", calls)
    return statistics.median([arrived for _, arrived in samples])


def prepare(pair: Pair, sign_in: str) -> None:
    pair.introduce({name: node.address for name, node in pair.items()}, sign_in=sign_in)
    for node in pair.values():
        node.manage("ensure_admin", BACKOFFICE_ADMIN_PASSWORD=PASSWORD)
    pair.store.manage("sample_content", "orders")
    pair.start()
    rest(pair)


def rest(pair: Pair) -> None:
    """Wait until both nodes are equal and have nothing to do."""
    until(lambda: ends.undone(pair) == 0 and ends.are_equal(pair), seconds=SECONDS)


def measure(pair: Pair, admin: Admin, key: str, number: int) -> tuple[float, float]:
    """Return the seconds from the save until its answer, and until its arrival at the warehouse."""
    path, value = f"/admin/orders/order/{key}/change/", 1000 + number
    form = admin.form(path) | {"quantity": str(value)}
    begin = time.perf_counter()
    admin.save(path, form)
    saved = time.perf_counter() - begin
    wait_for(lambda: quantity(pair, key) == value)
    arrived = time.perf_counter() - begin
    rest(pair)
    return saved, arrived


def call(pair: Pair, key: str, number: int) -> float:
    """Return the seconds that the warehouse's API takes for the same edit."""
    url = f"{pair.warehouse.address}/api/orders/{key}/"
    headers = {"Authorization": f"Bearer {pair.store.node.environment[KEY]}"}
    begin = time.perf_counter()
    answer = requests.patch(url, json={"quantity": 1000 + number}, headers=headers, timeout=30)
    spent = time.perf_counter() - begin
    answer.raise_for_status()
    rest(pair)
    return spent


def quantity(pair: Pair, key: str) -> object:
    return pair.warehouse.rows("SELECT quantity FROM orders_order WHERE id = %s", key)[0]["quantity"]


def wait_for(condition: Callable[[], bool]) -> None:
    over = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < over, "it did not arrive"
        time.sleep(LOOK)


def show(title: str, seconds: list[float]) -> None:
    """Print the median and the 99th percentile; of 100 figures the latter is the second longest."""
    ordered = sorted(seconds)
    last = ordered[max(0, round(0.99 * len(ordered)) - 1)]
    median = statistics.median(ordered)
    say(f"{title:44} median {median * 1000:5.0f} ms   99 % {last * 1000:5.0f} ms   n = {len(ordered)}")


if __name__ == "__main__":
    sys.exit(main())
