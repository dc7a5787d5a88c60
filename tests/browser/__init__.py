"""The pages in a browser: Playwright drives the system's Chromium; `make test-browser` runs them.

`install.sh` installs Playwright and axe-core into `.venvs/browser`. Half of the folder would find nothing on another
database, so that it runs on SQLite, where a node has one writer; `--database postgres` runs it on the other.
"""
