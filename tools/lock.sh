#!/bin/sh
# Write requirements/*.txt from pyproject.toml, with hashes, for every Python and platform that it allows: lock.sh [--upgrade]
# With --upgrade each package gets its newest release, else pins that still fit stay. The uv that does it is itself in the lock.
set -eu
# The oldest Python is named, for uv would drop what is only for Pythons older than the one that runs here; a uv.toml
# of this user or machine must not change the result; extras stay, since `pip install --no-deps` looks up none.
compile() {
    .venv/bin/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 --only-binary :all: \
        --no-strip-extras --generate-hashes --no-header "$@"
}
compile --output-file requirements/base.txt "$@"
compile --output-file requirements/production.txt --constraints requirements/base.txt --group production "$@"
compile --output-file requirements/dev.txt --constraints requirements/production.txt --group dev "$@"
