#!/bin/sh
# Install the servers of tests/real into .venvs/real: install.sh PYTHON STAMP
# requirements/real.txt and package-lock.json pin every package with its hash.
set -eu
python=$1 stamp=$2 folder=.venvs/real

stop() {
    echo "$1" >&2
    exit 1
}

command -v npm >/dev/null || stop "npm is not installed, which json-server needs. Install it: apt install nodejs npm"
echo "Installing the servers of tests/real into $folder (once) …"
"$python" -m venv --clear $folder
sh tools/install.sh $folder/bin/python -r requirements/real.txt ||
    stop "The packages could not be installed; pip's reason is above."
cp tests/real/package.json tests/real/package-lock.json $folder/
npm ci --prefix $folder --loglevel=error --ignore-scripts --no-audit --no-fund --no-update-notifier ||
    stop "The packages could not be installed; npm's reason is above."
touch "$stamp"
