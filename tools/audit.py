"""`make audit`: are there known weaknesses in what is locked, and secrets in what is committed?

Nothing found is a pass only if everything could be looked up: pip-audit itself succeeds where an index knows none of
the packages. Words of the command line choose parts: `python -m tools.audit secrets` looks for secrets only.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.nodes import ROOT

LOCKS = ("production", "dev", "audit", "bench", "browser", "real")  # dev and bench have all that is in smaller ones
PACKAGES = ("tests/browser", "tests/real")  # folders with a package-lock.json
BASELINE = ".secrets.baseline"


class NoAnswerError(Exception):
    """The source of known weaknesses could not be asked about everything: that is not a pass."""


def main() -> int:
    chosen = sys.argv[1:] or [*PARTS]
    failed = False
    for name in chosen:
        try:
            found = PARTS[name]()
        except NoAnswerError as error:
            found = [f"Nobody looked, so this is not a pass: {error}"]
        print(f"{name}: {'nothing found' if not found else ''}", *found, sep="\n  ")
        failed |= bool(found)
    return int(failed)


def python_packages() -> list[str]:
    """Raises:
    NoAnswerError: an advisory source did not know a package, or did not answer.
    """
    seen: dict[str, dict[str, Any]] = {}
    for lock in LOCKS:
        words = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json"]
        said = run("pip_audit", *words, "-r", f"requirements/{lock}.txt")
        for package in packages(said):
            seen[f"{package['name']} {package.get('version', '')}"] = package
    return weaknesses(seen.values())


def packages(said: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(said.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        raise NoAnswerError(last_line(said)) from error
    return found


def weaknesses(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return a line for each known weakness.

    Args:
        found: what pip-audit says of each package.

    Raises:
        NoAnswerError: a package could not be looked up.
    """
    every = list(found)
    skipped = [one["name"] for one in every if "skip_reason" in one]
    if skipped or not every:
        some = ", ".join(skipped[:3])
        raise NoAnswerError(f"{len(skipped)} of {len(every)} Python packages could not be looked up ({some} …).")
    return [f"{one['name']} {one['version']}: {described(weakness)}" for one in every for weakness in one["vulns"]]


def described(weakness: dict[str, Any]) -> str:
    return f"{weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'no release'}"


def node_packages() -> list[str]:
    """Raises:
    NoAnswerError: npm is missing, or its registry did not answer.
    """
    if not (npm := shutil.which("npm")):
        raise NoAnswerError("npm is not installed.")
    found = []
    for folder in PACKAGES:
        words = [npm, "audit", "--package-lock-only", "--json"]
        said = subprocess.run(words, cwd=ROOT / folder, capture_output=True, text=True, check=False)
        found += [f"{folder}: {name}" for name in vulnerable(said.stdout)]
    return found


def vulnerable(said: str) -> list[str]:
    """Return the packages that npm names.

    Raises:
        NoAnswerError: npm's registry did not answer.
    """
    answer = json.loads(said or "{}")
    if "vulnerabilities" not in answer:
        raise NoAnswerError(str(answer.get("message", "npm said nothing.")).splitlines()[0])
    return [f"{name} ({weakness['severity']})" for name, weakness in answer["vulnerabilities"].items()]


def secrets() -> list[str]:
    """Return a line for each secret in the committed files that the baseline does not know.

    Raises:
        NoAnswerError: git is not installed.
    """
    git = shutil.which("git")
    if not git:
        raise NoAnswerError("git is not installed, which knows what is committed.")
    files = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    said = run("detect_secrets.pre_commit_hook", "--baseline", BASELINE, *filter(is_text, files.split("\0")))
    if said.returncode == 0:
        return []
    return [line for line in said.stdout.splitlines() if line.startswith(("Secret Type", "Location"))] or [
        last_line(said)
    ]


def is_text(file: str) -> bool:
    """Return whether a file may hold a secret: locks are full of hashes, and catalogues and pictures are not read."""
    path = Path(file)
    skipped = path.suffix in {".mo", ".po", ".png", ".svg", ".css"} or path.name == "package-lock.json"
    return (
        bool(file) and not skipped and path.parts[0] != "requirements" and file not in (BASELINE, "bench/results.json")
    )


def run(module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command: Sequence[str] = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def last_line(said: "subprocess.CompletedProcess[str]") -> str:
    lines = (said.stderr or said.stdout).strip().splitlines()
    return lines[-1] if lines else f"it ended with status {said.returncode}."


PARTS: dict[str, Callable[[], list[str]]] = {
    "secrets": secrets,
    "Python packages": python_packages,
    "Node packages": node_packages,
}


if __name__ == "__main__":
    sys.exit(main())
