"""The browser of the tests: `CHROMIUM` where it is set, else the first that is on the path.

`python -m tests.browser.chromium` prints its path.
"""

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A test's browser asks nobody but the node under test, and is the same at each start.
FLAGS = [
    "--headless",
    "--no-sandbox",  # CI is root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def path() -> str:
    """Return the browser's path; empty if there is none."""
    return next(filter(None, map(shutil.which, filter(None, [os.environ.get("CHROMIUM"), *NAMES]))), "")


if __name__ == "__main__":
    sys.exit(not path())
