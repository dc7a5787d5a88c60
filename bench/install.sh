#!/bin/sh
# Install us and the rivals into .venvs/bench: install.sh PYTHON STAMP
set -eu
python=$1 stamp=$2 folder=.venvs/bench

echo "Installing the rivals of bench into $folder (once) …"
"$python" -m venv --clear $folder
sh tools/install.sh $folder/bin/python -r requirements/bench.txt || {
    echo "The packages could not be installed; pip's reason is above." >&2
    exit 1
}
touch "$stamp"
