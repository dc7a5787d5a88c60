"""A mutant as its file tells it, and planting it in a copy of the project."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

DATABASES = ("sqlite", "postgres")


class MutantError(Exception):
    """It can't be planted. The message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Hunk:
    """One change: `old`, whole lines that stand once in the file `path`, becomes `new`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A planted fault."""

    name: str
    fault: str  # what it breaks, in a sentence
    kills: tuple[str, ...]  # the tests that must fail, as pytest names them
    database: str  # on which they run
    hunks: tuple[Hunk, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises:
        MutantError: the file lacks a part.
        """
        head, _, diff = path.read_text().partition("\n--- a/")
        said = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        hunks = tuple(_hunks(f"--- a/{diff}"))
        kills = tuple(said.get("Kills", "").split())
        if not (said.get("Fault") and kills and said.get("Database") in DATABASES and hunks):
            raise MutantError(f"{path.name} lacks Fault, Kills, Database (sqlite or postgres) or the change itself.")
        return cls(name=path.stem, fault=said["Fault"], kills=kills, database=said["Database"], hunks=hunks)

    def planted(self, folder: Path) -> dict[Path, str]:
        """The files that it changes, as they are to be: `{path: text}`. Nothing is written.

        Raises:
            MutantError: a file is gone, has other lines now, or would be no Python.
        """
        texts: dict[Path, str] = {}
        for hunk in self.hunks:
            path = folder / hunk.path
            text = texts.get(path) or (path.read_text() if path.exists() else "")
            found = len(re.findall(f"(?=\n{re.escape(hunk.old)})", f"\n{text}"))  # overlapping ones too
            if found != 1:
                cure = f"rewrite tests/mutants/{self.name}.patch, so that it plants the same fault in today's code"
                raise MutantError(f"its lines stand {found} times in {hunk.path}; {cure}:\n{hunk.old}")
            texts[path] = f"\n{text}".replace(f"\n{hunk.old}", f"\n{hunk.new}").removeprefix("\n")
        for path, text in texts.items():
            try:
                compile(text, path.name, "exec")
            except SyntaxError as error:
                raise MutantError(f"{path.name} is no Python then: {error}") from error
        return texts


def _hunks(diff: str) -> list[Hunk]:
    """The changes of a unified diff; the numbers after `@@` are not looked at."""
    path, hunks = "", []
    lines: list[str] = []
    for line in [*diff.splitlines(), "@@"]:
        if line.startswith(("--- ", "+++ ", "@@")):
            if lines:
                hunks.append(_hunk(path, lines))
            lines = []
            path = line.removeprefix("+++ b/") if line.startswith("+++ ") else path
        else:
            lines.append(line)
    return hunks


def _hunk(path: str, lines: list[str]) -> Hunk:
    # An editor may have taken the blank from an empty line.
    old = [line[1:] for line in lines if line[:1] in ("", " ", "-")]
    new = [line[1:] for line in lines if line[:1] in ("", " ", "+")]
    return Hunk(path=path, old="".join(f"{line}\n" for line in old), new="".join(f"{line}\n" for line in new))
