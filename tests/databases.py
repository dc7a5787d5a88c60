"""The pytest plugin that chooses the database: `--database sqlite` (the default) or `--database postgres`.

It is loaded with `-p`, before pytest-django reads the settings. PostgreSQL is `TEST_DATABASE_URL` where given, else a
server from a wheel, started for this run. `TEST_VAR` names a folder for the node's files, where `--reuse-db` finds the
SQLite database of the run before. Tests that are for the other database are not collected, and those that use
no database run with SQLite only: once is enough. `--quick`, of `make test`, leaves out what is marked `slow`, and runs
what guards no law on one database: the folders of ONCE, but for what is marked `law`, and what is marked `quick`.
`--once`, of `make check`, runs all tests: those marked `law` on both databases, half of the others on each.

`TEST_REPORTS` names a folder in which each run leaves its report, a JUnit file; `tools/tally.py` adds them up.
"""

import gc
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest
from django.conf import settings

from tests import postgres
from tools.nodes import LOOPBACK

ROOT = Path(__file__).parent
DATABASES = ("sqlite", "postgres")
FIXTURES = {"db", "transactional_db", "live_server"}
ONCE = {"backoffice": "sqlite", "content": "sqlite", "flows": "sqlite", "hostile": "sqlite"}
_cleanup = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=DATABASES, default="sqlite", help="the database to test on")
    parser.addoption("--quick", action="store_true", help="only what a commit must pass")
    parser.addoption("--once", action="store_true", help="what guards no law on one database only")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    var = os.environ.get("TEST_VAR") or _cleanup.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-test-"))
    os.environ.update(
        BACKOFFICE_DOTENV="",
        BACKOFFICE_ENV="development",
        BACKOFFICE_VAR=var,
        BACKOFFICE_NODE="test",
        PRIVATE_NETWORKS=LOOPBACK,
        SECRET_KEY="only-for-tests-" + "0123456789" * 4,
        # Tests share their users' ids and one address.
        API_RATE="1000000/minute",
        REGISTRATION_RATE="1000000/minute",
    )
    if early_config.known_args_namespace.database == "postgres":
        url = os.environ.get("TEST_DATABASE_URL") or _cleanup.enter_context(postgres.server())
        os.environ["DATABASE_URL"] = url
    else:
        os.environ.pop("DATABASE_URL", None)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Taken out of the environment: what a test starts, pytest among it, is not a run of ours.
    if folder := os.environ.pop("TEST_REPORTS", ""):
        config.option.xmlpath = f"{folder}/{config.option.database}-{os.getpid()}.xml"
    # By the one of production, a password costs a third of a second.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # what is loaded stays: to walk all of it in each full collection is an eighth of the time
    gc.set_threshold(20_000, 20, 20)  # to look after every 700 new objects is another fourteenth


def pytest_unconfigure() -> None:
    _cleanup.close()


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {config.option.database}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = ("slow", "thorough") if config.option.quick else ("thorough",) if config.option.once else ()
    items[:] = [item for item in items if not any(map(item.get_closest_marker, left_out))]
    quick, once = config.option.quick, config.option.once
    items[:] = [item for item in items if config.option.database in databases_of(item, quick=quick, once=once)]


def databases_of(item: pytest.Item, *, quick: bool, once: bool = False) -> Sequence[str]:
    """The databases that a test runs on."""
    if named := [name for name in DATABASES if item.get_closest_marker(name)]:
        return named
    if not (item.get_closest_marker("django_db") or FIXTURES.intersection(getattr(item, "fixturenames", ()))):
        return ["sqlite"]
    folder = item.path.relative_to(ROOT).parts[0]
    if item.get_closest_marker("law") or not (quick or once):
        return DATABASES
    if once:
        return [DATABASES[crc32(item.nodeid.encode()) % len(DATABASES)]]
    if chosen := item.get_closest_marker("quick"):
        return list(chosen.args)
    return [ONCE[folder]] if folder in ONCE else DATABASES
