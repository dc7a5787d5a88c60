#!/bin/sh
# Install locked packages: install.sh PYTHON -r FILE [more of pip's options]
# The index decides nothing: the lock names every package, so that no dependency is resolved (--no-deps); every file has
# its hash; and nothing is built, which would fetch tools that are not in the lock.
set -eu
python=$1
shift
exec "$python" -m pip install -qq --disable-pip-version-check --no-input --no-deps --only-binary :all: --require-hashes "$@"
