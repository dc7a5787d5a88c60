#!/bin/sh
# Install what `make audit` runs into .venvs/audit: install_audit.sh PYTHON STAMP
set -eu
python=$1 stamp=$2 folder=.venvs/audit

echo "Installing the tools of make audit into $folder (once) …"
"$python" -m venv --clear $folder
sh tools/install.sh $folder/bin/python -r requirements/audit.txt || {
    echo "The packages could not be installed; pip's reason is above." >&2
    exit 1
}
touch "$stamp"
