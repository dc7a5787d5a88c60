#!/bin/sh
# Write requirements/*.txt from pyproject.toml, with hashes, for every Python and platform that it allows: lock.sh [--upgrade]
# With --upgrade each package gets its newest release, otherwise pins that still fit stay. uv itself is in the lock.
set -eu
# The oldest Python is named because uv would drop packages that only Pythons older than the running one need; a uv.toml
# of this user or machine must not change the result; extras stay, since `pip install --no-deps` resolves none.
compile() {
    .venv/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --only-binary :all: \
        --no-strip-extras --generate-hashes --no-header "$@"
}
compile pyproject.toml --output-file requirements/base.txt "$@"
compile pyproject.toml --output-file requirements/production.txt --constraints requirements/base.txt --group production "$@"
compile pyproject.toml --output-file requirements/observability.txt --constraints requirements/production.txt --group observability "$@"
compile pyproject.toml --output-file requirements/dev.txt --constraints requirements/observability.txt --group dev "$@"
compile pyproject.toml --output-file requirements/bench.txt --constraints requirements/dev.txt --group bench "$@"
compile --group real --output-file requirements/real.txt "$@"
compile --group deploy --output-file requirements/deploy.txt "$@"
compile --group audit --output-file requirements/audit.txt "$@"
compile --group browser --output-file requirements/browser.txt --constraints requirements/dev.txt "$@"
