"""What is printed, and kept in `var/chaos.json`."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.nodes import ROOT

if TYPE_CHECKING:  # its models can't be read yet
    from tests.chaos.judge import Verdict

FIRST = 20  # reasons shown of a verdict


def folder() -> Path:
    """`var`, or BACKOFFICE_VAR."""
    found = Path(os.environ.get("BACKOFFICE_VAR") or ROOT / "var").resolve()
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def counts(found: Mapping[str, Any]) -> str:
    """A line each: a number, or the parts of it, the greatest first."""
    return "\n".join(f"  {name + ':':28}{_counted(value)}" for name, value in found.items())


def _counted(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    ordered = sorted(value.items(), key=lambda pair: (-pair[1], pair[0]))
    parts = ", ".join(f"{number} {name}" for name, number in ordered)
    return f"{sum(value.values())} ({parts})" if parts else "0"


def verdicts(found: "list[Verdict]") -> str:
    """A line each, and under what does not hold the first reasons."""
    lines = []
    for one in found:
        lines.append(f"  {'ok  ' if one.holds else 'FAIL'}  {one.law}")
        lines += [f"          {text[:1000]}" for text in one.wrong[:FIRST]]
        if len(one.wrong) > FIRST:
            lines.append(f"          … and {len(one.wrong) - FIRST} more")
    return "\n".join(lines)


def keep(data: dict[str, Any], to: Path) -> Path:
    file = to / "chaos.json"
    file.write_text(json.dumps(data, indent=1, default=str) + "\n")
    return file
