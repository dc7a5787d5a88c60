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


def services(deployment: str, folder: Path = ROOT) -> dict[str, Any]:
    """Return the services of a deployment as Compose understands them: `{"web": {"environment": {…}, …}}`."""
    return dict(compose(deployment, folder)["services"])


@cache
def compose(deployment: str, folder: Path = ROOT) -> dict[str, Any]:
    """Return a deployment whose `.env` is in `folder`; of the project's folder none is read."""
    dotenv = "/dev/null" if folder == ROOT else str(folder / ".env")
    files = [word for file in ["docker-compose.yml", *DEPLOYMENTS[deployment]] for word in ("--file", file)]
    done = run(
        "docker-compose",
        "--project-directory",
        folder,
        "--env-file",
        dotenv,
        *files,
        "--profile",
        "*",
        "config",
        "--format=json",
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
