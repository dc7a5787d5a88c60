#!/bin/sh
# Install what tests/browser needs into .venvs/browser, beside what PYTHON has already: install.sh PYTHON STAMP
# requirements/browser.txt and package-lock.json pin every package with its hash; the browser is the system's own.
set -eu
python=$1 stamp=$2 folder=.venvs/browser

stop() {
    echo "$1" >&2
    exit 1
}

chromium() {
    "$python" -m tests.browser.chromium >/dev/null 2>&1
}

command -v npm >/dev/null || stop "npm is not installed, which brings axe-core. Install it: apt install nodejs npm"
if ! chromium && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium (once) …"
    apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium >/dev/null || true
fi
chromium || stop "No Chromium was found. Install it (apt install chromium), or name one: CHROMIUM=/path/to/chrome make test-browser"
echo "Installing the packages of tests/browser into $folder (once) …"
"$python" -m venv --clear $folder
packages() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
packages "$python" >"$(packages $folder/bin/python)/ours.pth"
sh tools/install.sh $folder/bin/python -r requirements/browser.txt ||
    stop "The packages could not be installed; pip's reason is above."
cp tests/browser/package.json tests/browser/package-lock.json $folder/
npm ci --prefix $folder --loglevel=error --ignore-scripts --no-audit --no-fund --no-update-notifier ||
    stop "The packages could not be installed; npm's reason is above."
touch "$stamp"
