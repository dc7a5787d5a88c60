"""A remote for benchmarks that costs little: granian answers each write with its own body and an id.

`granian bench.remote:app`; MILLISECONDS in the environment delays each answer.
"""

import asyncio
import json
import os
from itertools import count
from typing import Any

DELAY = float(os.environ.get("MILLISECONDS", "0")) / 1000
HEADERS = [("content-type", "application/json")]
ids = count(1)


async def app(scope: Any, protocol: Any) -> None:
    """Answer POST with 201, anything else with 200: an RSGI application."""
    body = json.loads(await protocol() or "{}")
    if DELAY:
        await asyncio.sleep(DELAY)
    if scope.method == "POST":
        protocol.response_bytes(201, HEADERS, json.dumps({"id": next(ids), **body}).encode())
    else:
        protocol.response_bytes(
            200, HEADERS, json.dumps({"id": int(scope.path.rpartition("/")[2] or 0), **body}).encode()
        )
