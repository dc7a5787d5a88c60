"""How long after a save in the store's admin is it in the warehouse's database? `make bench`.

Two real nodes, each its PostgreSQL database, web server and worker, idle but for this. The clock runs from just before
the form is sent until the warehouse's row holds the new value, so the save itself is in it. Once with peers that sign
in by a password, for which each run fetches a token, and once by an API key.

For comparison the request that a signal would send inside the save: the same edit by the warehouse's API, by an API
key, which the person would wait for.
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
from typing import Any

import requests

from bench.admin import Admin
from tests import postgres
from tests.flows.pair import ends
from tests.flows.pair.node import KEY, Pair
from tests.flows.wait import until

SAVES = 100
GOAL = 1.0  # seconds, of the median
PASSWORD = "only-for-this-benchmark"
SECONDS = 60  # until whatever is waited for must have come
LOOK = 0.002  # seconds between two looks
SIGN_INS = ("password", "key")


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else the nodes would go on
    saves = int(sys.argv[1]) if len(sys.argv) > 1 else SAVES
    medians = [run(sign_in, saves) for sign_in in SIGN_INS]
    return 0 if max(medians) < GOAL else 1


def run(sign_in: str, saves: int) -> float:
    """Print the figures of a pair that signs in like that; the median, in seconds."""
    with ExitStack() as stack:
        server = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-bench-")))
        pair = stack.enter_context(Pair.of(server, folder))
        prepare(pair, sign_in)
        admin = Admin(pair.store.address, "admin", PASSWORD)
        keys = sorted(ends.orders(pair.store))
        found = [measure(pair, admin, keys[number % len(keys)], number) for number in range(saves)]
        calls = [call(pair, keys[number % len(keys)], saves + number) for number in range(saves)]
    say(f"Peers sign in by {sign_in}:")
    show("  from the save to the warehouse", [arrived for _, arrived in found])
    show("  of it, the save in the admin", [saved for saved, _ in found])
    show("  for comparison, a request inside the save", calls)
    return statistics.median([arrived for _, arrived in found])


def prepare(pair: Pair, sign_in: str) -> None:
    pair.introduce({name: node.address for name, node in pair.items()}, sign_in=sign_in)
    for node in pair.values():
        node.manage("ensure_admin", BACKOFFICE_ADMIN_PASSWORD=PASSWORD)
    pair.store.manage("sample_content", "orders")
    pair.start()
    rest(pair)


def rest(pair: Pair) -> None:
    """Wait until both are equal and have nothing to do."""
    until(lambda: ends.undone(pair) == 0 and ends.are_equal(pair), seconds=SECONDS)


def measure(pair: Pair, admin: Admin, key: str, number: int) -> tuple[float, float]:
    """Seconds from the save until it was answered, and until it had arrived."""
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
    """Seconds that the warehouse takes for the same edit."""
    url = f"{pair.warehouse.address}/api/orders/{key}/"
    headers = {"Authorization": f"Bearer {pair.store.node.environment[KEY]}"}
    begin = time.perf_counter()
    answer = requests.patch(url, json={"quantity": 1000 + number}, headers=headers, timeout=30)
    spent = time.perf_counter() - begin
    answer.raise_for_status()
    rest(pair)
    return spent


def quantity(pair: Pair, key: str) -> Any:
    return pair.warehouse.rows("SELECT quantity FROM orders_order WHERE id = %s", key)[0]["quantity"]


def wait_for(condition: Callable[[], bool]) -> None:
    over = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < over, "it did not arrive"
        time.sleep(LOOK)


def show(title: str, seconds: list[float]) -> None:
    """Print the median, and the 99th percentile: of 100 figures the second longest."""
    ordered = sorted(seconds)
    last = ordered[max(0, round(0.99 * len(ordered)) - 1)]
    median = statistics.median(ordered)
    say(f"{title:44} median {median * 1000:5.0f} ms   99 % {last * 1000:5.0f} ms   n = {len(ordered)}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
