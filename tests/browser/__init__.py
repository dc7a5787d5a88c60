"""The pages in a browser: Playwright drives the system's Chromium; `make test-browser` runs them.

`install.sh` installs Playwright and axe-core into `.venvs/browser`. Pages are the same on both databases, so that one
is enough: SQLite, or the other with `--database postgres`.
"""
