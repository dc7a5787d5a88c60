#!/bin/sh
# Write requirements/*.txt from pyproject.toml: one file for every Python and platform, with hashes.
set -eu
.venv/bin/python -m pip install -qq --disable-pip-version-check uv
compile() {
    .venv/bin/uv pip compile pyproject.toml --quiet --universal --generate-hashes --no-header "$@"
}
compile --output-file requirements/base.txt
compile --output-file requirements/production.txt --constraints requirements/base.txt --group production
compile --output-file requirements/dev.txt --constraints requirements/base.txt --group dev
