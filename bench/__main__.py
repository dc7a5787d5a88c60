"""`python -m bench [--smoke] [LINE …]`: measure all lines, or those named, and print and keep their figures.

Each group of lines runs in a process of its own, with a copy of the database that it needs.
"""

import argparse
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench.harness import Figure, table
from bench.lines import GROUPS
from bench.stage import Server
from tests import postgres
from tools.lifeline import tied
from tools.nodes import ROOT
from tools.processes import kill_group
from tools.run import say

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    lines = [line for group in GROUPS.values() for line in group]
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure us against the rivals.")
    parser.add_argument("lines", nargs="*", metavar="LINE", choices=[[], *lines], help=", ".join(lines))
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round: only try the benchmark itself")
    parser.add_argument("--table", action="store_true", help="print the figures of results.json only")
    options = parser.parse_args()
    if options.table:
        say(table([Figure.of_json(values) for values in json.loads(RESULTS.read_text())["figures"]]))
        return 0
    wanted = set(options.lines or lines)
    if options.smoke:
        os.environ["BENCH_SMOKE"] = "1"
    os.environ["BENCH_SECRET"] = secrets.token_urlsafe(50)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # otherwise the server would keep running
    begin, figures, broken = time.monotonic(), list[Figure](), list[str]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-bench-")))
        url = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres.server())
        server = Server(url, folder)
        where = machine(server)
        server.clean()
        stack.callback(server.clean)
        works = {module: [name for name in names if name in wanted] for module, names in GROUPS.items()}
        works = {module: names for module, names in works.items() if names}
        # Figures need the machine for themselves; a trial does not.
        pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count() if options.smoke else 1))
        children: list[subprocess.Popen[bytes]] = []
        stack.callback(stop, pool, children)
        found = {module: pool.submit(measure, module, names, url, folder, children) for module, names in works.items()}
        for module, future in found.items():
            if (some := future.result()) is None:
                broken.append(module)
            figures += some or []
    say("\n" + table(figures))
    say(f"\n{where}; {time.monotonic() - begin:.0f} s")
    if not options.smoke:
        keep(figures, where)
    if broken:
        say(f"Broken: {', '.join(broken)}")
    return 1 if broken else 0


def stop(pool: ThreadPoolExecutor, children: "Sequence[subprocess.Popen[bytes]]") -> None:
    """End the groups that still run, after Ctrl-C; what they started ends with them."""
    pool.shutdown(wait=False, cancel_futures=True)
    for child in children:
        if child.poll() is None:
            kill_group(child.pid)


def measure(
    module: str, lines: Sequence[str], url: str, folder: Path, children: "list[subprocess.Popen[bytes]]"
) -> list[Figure] | None:
    """Return the figures of some lines of a group; None if it failed, which it has explained."""
    begin, answer = time.monotonic(), folder / f"{module}.json"
    words = [sys.executable, "-m", "bench.group", module, url, str(folder), str(answer), *lines]
    child = subprocess.Popen(**tied(words), cwd=ROOT)
    children.append(child)
    if child.wait():
        return None
    figures = [Figure.of_json(values) for values in json.loads(answer.read_text())]
    say(f"{', '.join(lines)}: {time.monotonic() - begin:.0f} s\n{table(figures).split(chr(10), 2)[2]}")
    return figures


def keep(figures: Sequence[Figure], where: str) -> None:
    """Write the figures to results.json, which keeps those of other lines."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    today = datetime.now(UTC).date().isoformat()
    new = {figure.line for figure in figures}
    others = [values for values in kept.get("figures", []) if values["line"] not in new]
    order = [line for group in GROUPS.values() for line in group]
    rows = [*others, *({**figure.as_json(), "date": today} for figure in figures)]
    rows.sort(key=lambda row: order.index(row["line"]))
    RESULTS.write_text(json.dumps({"machine": where, "figures": rows}, indent=1, ensure_ascii=False) + "\n")


def machine(server: Server) -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL {server.version}"


if __name__ == "__main__":
    sys.exit(main())
