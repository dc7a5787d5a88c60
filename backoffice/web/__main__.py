"""Start the web server: `python -m backoffice.web --port 8000 --workers 2`, with any further options of Granian's."""

import os
import sys
from tempfile import mkdtemp

from backoffice.web.command import words

if __name__ == "__main__":
    # Its processes share the numbers of their requests in files, see backoffice/monitoring/requests.py.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", mkdtemp(prefix="backoffice-metrics-"))
    command = words(*sys.argv[1:])
    os.execv(command[0], command)
