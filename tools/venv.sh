#!/bin/sh
# Install requirements/NAME.txt into .venvs/NAME, an environment of its own: venv.sh PYTHON NAME STAMP
# The lock pins every package with its hash; programs come in wheels, and nothing else is fetched.
set -eu
python=$1 name=$2 stamp=$3 folder=.venvs/$2

echo "Installing requirements/$name.txt into $folder (once) …"
"$python" -m venv --clear "$folder"
sh tools/install.sh "$folder/bin/python" -r "requirements/$name.txt" || {
    echo "The packages could not be installed; pip's reason is above." >&2
    exit 1
}
touch "$stamp"
