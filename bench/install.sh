#!/bin/sh
# Install the rivals into .venvs/bench, beside what PYTHON has already, which is ours: install.sh PYTHON STAMP
set -eu
python=$1 stamp=$2 folder=.venvs/bench

echo "Installing the rivals of bench into $folder (once) …"
"$python" -m venv --clear $folder
# A package that only one lock has begins a block of lines; the others are shared by way of a .pth file.
awk 'NR == FNR { shared[$1]; next } /^[a-z]/ { is_shared = $1 in shared } !is_shared' \
    requirements/dev.txt requirements/bench.txt >$folder/rivals.txt
packages() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
packages "$python" >"$(packages $folder/bin/python)/ours.pth"
sh tools/install.sh $folder/bin/python -r $folder/rivals.txt || {
    echo "The packages could not be installed; pip's reason is above." >&2
    exit 1
}
touch "$stamp"
