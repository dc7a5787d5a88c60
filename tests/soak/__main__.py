"""`make soak`: see the package's docstring. `SECONDS=` shortens it, `SEED=` repeats what everybody does."""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django

from tests import postgres
from tests.chaos.stage import node_environment


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-soak-")))
        server = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres.server())
        os.environ.update(node_environment("soak", server, folder))
        django.setup()
        from tests.soak.run import run  # what it shares with the tests can be imported only now

        return run(server, folder)


if __name__ == "__main__":
    sys.exit(main())
