"""Run several of Django's commands in one interpreter, which takes seconds to start: `commands.py '[["migrate"], …]'`.

A command that fails with status 1 ends the program. A higher status is a result: the other commands still run, and it
becomes the program's own.
"""

import json
import os
import sys

import django
from django.core.management import CommandError, call_command

FAILED = 1


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    status = 0
    for name, *words in json.loads(sys.argv[1]):
        try:
            call_command(name, *words)
        except CommandError as error:
            print(f"{name}: {error}", file=sys.stderr)
            if error.returncode == FAILED:
                return FAILED
            status = error.returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
