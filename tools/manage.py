"""`make manage C="…"`: run a Django command on the store, the first node of `make run`, with its environment."""

import os
import sys

from tools import secret_file
from tools.nodes import RefusedError, both_nodes, command, var_folder


def main() -> int:
    try:
        var = var_folder()
        if not secret_file.file(var).exists():
            raise RefusedError("There is no data yet; `make run` makes it.")
        store, _ = both_nodes(var=var, secret=secret_file.load(var))
    except RefusedError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    words = command(*sys.argv[1:])
    return os.execve(words[0], words, dict(store.environment))


if __name__ == "__main__":
    sys.exit(main())
