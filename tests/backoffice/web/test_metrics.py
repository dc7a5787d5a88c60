"""The numbers of all web processes of a host are in each answer, on a real server with several."""

import os
import re
import sys
from pathlib import Path

import pytest
import requests

from tests.flows.wait import until
from tools.nodes import ROOT
from tools.processes import Processes
from tools.servers import free_port

TOKEN = "a-token-of-the-tests-0123456789"
ASKED = 40


@pytest.fixture
def log(tmp_path: Path):
    return tmp_path / "web.log"


@pytest.fixture
def address(tmp_path: Path, log: Path):
    port = free_port()
    environment = {
        **os.environ,
        "BACKOFFICE_ENV": "development",
        "BACKOFFICE_VAR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/no-tables.sqlite3",
        "ALLOWED_HOSTS": "localhost",
        "METRICS_TOKEN": TOKEN,
        "LOG_FORMAT": "json",
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "backoffice.web", "--port", str(port), "--workers", "2"]
    with Processes() as processes:
        processes.start("web", command, environment=environment, folder=ROOT, log=log)
        until(lambda: processes.ended() or log.read_text().count("Started worker-") == 2, seconds=60)
        yield f"http://localhost:{port}"


def test_every_process_tells_of_all(address, log):
    for _ in range(ASKED):  # each by a connection of its own, that either process may get
        assert requests.get(f"{address}/api/openapi.json", timeout=20).status_code == 200
    for _ in range(6):
        answer = requests.get(f"{address}/metrics/", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)
        [number] = re.findall(r"_seconds_count{.*openapi.*} (\S+)", answer.text)
        assert float(number) == ASKED
    assert "backoffice_database_up 0.0" in answer.text  # which has no tables
    assert log.read_text().count('"path": "/api/openapi.json"') == ASKED
