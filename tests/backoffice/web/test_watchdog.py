"""A process that is stuck is ended, and one that is not goes on."""

import os
import subprocess
import sys

import pytest

WATCHED = """
import asyncio, time
from concurrent.futures import ThreadPoolExecutor
from django.conf import settings
from backoffice.web import watchdog
watchdog.LOOP_SECONDS = settings.WEB_STUCK_SECONDS = {limit}

async def main():
    watching = asyncio.create_task(watchdog.watch())
    await asyncio.sleep(0)
    {doing}
    watching.cancel()

def hang():
    watchdog.timed(lambda: time.sleep({seconds}))

asyncio.run(main())
print("done")
"""
THREAD = "await asyncio.get_running_loop().run_in_executor(None, hang)"


@pytest.mark.parametrize(
    ("doing", "limit", "seconds", "printed", "traced"),
    [("time.sleep(30)", 0.2, 0, "", True), (THREAD, 0.2, 30, "", True), (THREAD, 5, 0.05, "done\n", False)],
    ids=["a loop that hangs", "a thread that hangs", "work that ends"],
)
def test_a_process_that_is_stuck_says_where_and_ends(tmp_path, doing, limit, seconds, printed, traced):
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings", "BACKOFFICE_VAR": str(tmp_path),
    }  # fmt: skip
    script = WATCHED.format(doing=doing, limit=limit, seconds=seconds)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout, "Timeout" in done.stderr, done.returncode != 0) == (printed, traced, traced)
