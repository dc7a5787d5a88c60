"""Measure some lines of one group: `python -m bench.group MODULE URL FOLDER ANSWER LINE …`; used by `bench.__main__`.

The module's `measure(server, lines)` returns figures; they are written to the file ANSWER.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

from bench.stage import Server


def main() -> None:
    module, url, folder, answer, *lines = sys.argv[1:]
    figures = import_module(f"bench.{module}").measure(Server(url, Path(folder)), lines)
    Path(answer).write_text(json.dumps([figure.as_json() for figure in figures]))


if __name__ == "__main__":
    main()
