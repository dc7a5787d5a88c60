"""Start the web server: `python -m backoffice.web --port 8000 --workers 2`, with any further options of Granian's."""

import os
import sys

from backoffice.web.command import words

if __name__ == "__main__":
    command = words(*sys.argv[1:])
    os.execv(command[0], command)
