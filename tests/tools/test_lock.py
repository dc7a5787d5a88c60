"""The lock leaves nothing to decide on the day of an installation: it is complete, exact, and every pip takes it.

The last test asks the package index that pip is configured for. It runs `tools/install.sh`, as `make` and the image do.
"""

import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Each lock with the groups of pyproject.toml that are in it beside the dependencies of the project.
LOCKS = {
    "base": [],
    "production": ["production"],
    "observability": ["production", "observability"],
    "dev": ["production", "observability", "dev"],
}
LARGEST = "requirements/dev.txt"  # has the lines of the others, as a test below says
LINE = re.compile(r"(?P<pin>[a-z0-9-]+(\[[a-z0-9,-]+\])?==[^ ;\[]+( ; [^\\#]+?)?)( --hash=sha256:[0-9a-f]{64})+")
# 22.3 comes with Python 3.11.0, 23.0.1 with Debian 12, 23.2.1 with 3.11.7 and 3.12.1, 24.0 with 3.11.9 and 3.12.3.
# The first two don't start on Python 3.12 and later.
PIPS = [*(["22.3", "23.0.1"] if sys.version_info < (3, 12) else []), "23.2.1", "24.0", "newest"]
IN_CI = {"newest"}  # which itself installs with the oldest


def lines(lock: str) -> list[str]:
    """Return the lock's lines without comments, those that go on in the next one joined."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return re.sub(r" *\\\n *", " ", re.sub(r"(?m)^ *#.*\n", "", text)).splitlines()


def pins(lock: str) -> dict[str, Requirement]:
    """Return what the lock installs on this Python and platform, by name."""
    requirements = [Requirement(line.partition(" --hash")[0]) for line in lines(lock)]
    return {one.name: one for one in requirements if one.marker is None or one.marker.evaluate()}


def wanted(lock: str) -> Iterator[tuple[str, Requirement]]:
    """Yield everything that is required, with who requires it: the project, then each installed package of the lock."""
    groups = [one for group in LOCKS[lock] for one in PROJECT["dependency-groups"][group] if isinstance(one, str)]
    yield from (("pyproject.toml", Requirement(one)) for one in [*PROJECT["project"]["dependencies"], *groups])
    for pin in pins(lock).values():
        for requirement in map(Requirement, metadata.requires(pin.name) or []):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ["", *pin.extras]):
                yield pin.name, requirement


@pytest.mark.parametrize("lock", [*LOCKS, "audit", "browser", "deploy", "real"])
def test_each_line_pins_one_version_and_its_files(lock):
    assert lines(lock)
    assert [line for line in lines(lock) if not LINE.fullmatch(line)] == []


def test_what_runs_in_production_is_what_is_tested():
    assert set(lines("base")) <= set(lines("production")) <= set(lines("observability")) <= set(lines("dev"))


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_has_all_that_its_packages_require(lock):
    locked = pins(lock)
    assert {name: metadata.version(name) for name in locked} == {
        name: str(pin.specifier).removeprefix("==") for name, pin in locked.items()
    }, "The packages in .venv are of another lock; `make` installs this one."
    assert [
        f"{who} requires {requirement}"
        for who, requirement in wanted(lock)
        if not (pin := locked.get(canonicalize_name(requirement.name)))
        or not requirement.specifier.contains(metadata.version(pin.name), prereleases=True)
        or not requirement.extras <= pin.extras
    ] == []


def install_all(folder: Path, pip: str) -> str:
    """Have that pip take the largest lock, in a dry run; returns what went wrong, as pip says it.

    A dry run asks the index, chooses, fetches and checks the hash of each file, and stops before files are unpacked.
    """
    venv.create(folder / pip)
    python = str(folder / pip / "bin/python")
    this = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    commands: list[list[str]] = [
        [*this, "--python", python, "install", "-qq", "--no-deps", "pip" if pip == "newest" else f"pip=={pip}"],
        ["sh", "tools/install.sh", python, "-r", LARGEST, "--dry-run"],
    ]
    for command in commands:
        ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if ended.returncode:
            return ended.stdout or f"exit status {ended.returncode}"
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("pip", [pytest.param(pip, marks=[] if pip in IN_CI else pytest.mark.thorough) for pip in PIPS])
def test_every_pip_installs_the_lock(tmp_path, pip):
    assert install_all(tmp_path, pip) == ""
