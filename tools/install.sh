#!/bin/sh
# Install locked packages: install.sh PYTHON -r FILE [more of pip's options]
# Nothing is left for an index to decide: the lock names every package, so none is looked up (--no-deps); each file is
# known by its hash; and nothing is built, which would fetch tools that no lock names.
set -eu
python=$1
shift
exec "$python" -m pip install -qq --disable-pip-version-check --no-input --no-deps --only-binary :all: --require-hashes "$@"
