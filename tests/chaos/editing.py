"""The process of one editor: `python -m tests.chaos.editing NAME SEED BEGIN SECONDS FILE`; its books go to FILE."""

import json
import sys
from pathlib import Path

import django


def main() -> None:
    name, seed, begin, seconds, file = sys.argv[1:]
    django.setup()
    from tests.chaos.editors import EDITORS  # its models can be read only now

    editor = EDITORS[name](name, seed)
    editor.run(float(begin), float(seconds))
    Path(file).write_text(json.dumps(vars(editor.ledger)))


if __name__ == "__main__":
    main()
