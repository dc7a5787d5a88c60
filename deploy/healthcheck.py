"""Docker's health check of the web server, which also ends a container that hangs: Docker restarts what has ended only.

Unhealthy is what is not ready, such as without its database; hung is what no longer says that it lives.
"""

import os
import signal
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

HUNG = 3  # checks in a row
SECONDS = 4  # that each of two questions waits for its answer
APPLICATION = b"backoffice.web.app:application"  # a word of the web server's command
MISSED = Path("/tmp/missed")  # noqa: S108 - how many; there as soon as the server has answered once


def main() -> int:
    trouble = ask("ready")
    if not trouble or not ask("live"):
        MISSED.write_text("0")
    elif MISSED.exists():
        MISSED.write_text(str(missed := int(MISSED.read_text()) + 1))
        if missed >= HUNG:
            end()
    if trouble:
        print(trouble, file=sys.stderr)
    return int(bool(trouble))


def end() -> None:
    """End the web server; Docker's init ends with it, and so does the container."""
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            if APPLICATION in words.read_bytes().split(b"\0"):
                os.kill(int(words.parent.name), signal.SIGKILL)


def ask(name: str) -> str:
    """Return why this container's web server does not say that it is ready, or live; empty if it does."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://127.0.0.1:8000/health/{name}/", timeout=SECONDS):
            return ""
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
