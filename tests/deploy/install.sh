#!/bin/sh
# Install what tests/deploy needs into .venvs/deploy: install.sh PYTHON STAMP
# requirements/deploy.txt pins every package with its hash; their wheels hold the programs, and nothing else is fetched.
set -eu
python=$1 stamp=$2 folder=.venvs/deploy

echo "Installing the linters of tests/deploy into $folder (once) …"
"$python" -m venv --clear $folder
sh tools/install.sh $folder/bin/python -r requirements/deploy.txt || {
    echo "The packages could not be installed; pip's reason is above." >&2
    exit 1
}
touch "$stamp"
