#!/bin/sh
# Make .venv and install locked packages: setup.sh PYTHON production|dev STAMP
# Anything that can be missing on a new machine is reported in one line that names the cure.
set -eu
python=$1 packages=$2 stamp=$3

stop() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null || stop "$python is not installed. Install Python 3.11 to 3.14, or name one: make PYTHON=/path/to/python3"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || stop "$python does not run. Name another: make PYTHON=/path/to/python3"
case $version in
    3.11 | 3.12 | 3.13 | 3.14) ;;
    *) stop "$python is Python $version; 3.11 to 3.14 will do. Name one: make PYTHON=python3.13" ;;
esac
"$python" -c 'import ensurepip, venv' 2>/dev/null || stop "Python $version is without ensurepip. Install it: apt install python$version-venv"
[ -w . ] || stop "$(pwd) can't be written to. Copy the project to a folder of your own."

installed=$(.venv/bin/python -c 'import sys, pip; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || installed=
if [ "$installed" != "$version" ]; then
    "$python" -m venv --clear .venv || stop "The virtual environment could not be made in $(pwd)/.venv; the reason is above."
fi

echo "Installing packages into .venv (once) …"
sh tools/install.sh .venv/bin/python -r "requirements/$packages.txt" ||
    stop "The packages could not be installed; pip's reason is above."
# This asks no index. A fault means that .venv holds packages of an earlier lock or by hand, or the lock lacks one.
broken=$(.venv/bin/python -m pip --disable-pip-version-check check) ||
    stop "$broken
The packages in .venv don't fit one another, as the lines above say. Delete .venv and repeat."
if [ "$packages" = dev ]; then
    # pytest imports its plugin, tests.databases, before it adds this folder to the path.
    pwd >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/backoffice.pth"
    touch ".venv/production.$(basename "$python")"
fi
touch "$stamp"
