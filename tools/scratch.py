"""Run Python with production's settings, generated secrets and a temporary folder; for `make check`."""

import os
import secrets
import subprocess
import sys
import tempfile

from tools.nodes import ROOT


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="backoffice-check-") as var:
        environment = {
            **os.environ,
            "ALLOWED_HOSTS": "backoffice.example",
            "BACKOFFICE_DOTENV": "",
            "BACKOFFICE_ENV": "production",
            "BACKOFFICE_VAR": var,
            "DATABASE_URL": f"sqlite:///{var}/backoffice.sqlite3",
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        return subprocess.run([sys.executable, *sys.argv[1:]], cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
