"""The programs of `requirements/deploy.txt`."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venvs/deploy/bin"
DEPLOYMENTS = {"one node": [], "pair": ["deploy/pair.yml"], "scale": ["deploy/scale.yml"]}


def run(tool: str, *words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a tool in the folder of the project, with nothing in the environment but what it needs and is given."""
    given = {"PATH": f"{BIN}:{os.environ['PATH']}", **environment}
    return subprocess.run([BIN / tool, *words], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)


@cache
def services(deployment: str, dotenv: str = "/dev/null") -> dict[str, Any]:
    """Return the services of a deployment as Compose understands them: `{"web": {"environment": {…}, …}}`."""
    return dict(compose(deployment, dotenv)["services"])


@cache
def compose(deployment: str, dotenv: str = "/dev/null") -> dict[str, Any]:
    files = [word for file in ["docker-compose.yml", *DEPLOYMENTS[deployment]] for word in ("--file", file)]
    done = run("docker-compose", "--env-file", dotenv, *files, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
