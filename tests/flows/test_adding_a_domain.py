"""`docs/adding-a-domain.md`, followed to the letter in a copy of this checkout."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.lifeline import tied

pytestmark = pytest.mark.sqlite
ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "adding-a-domain.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PLACE = re.compile(r"# (?P<file>[\w./]+)(, at the end of (?P<list>\w+))?\n")
GENERATED = re.compile(r"__pycache__|_cache/|^\.hypothesis/")
LINES = 150  # of code, at most
SECONDS = 240  # that one command may take
NOT_COPIED = (".git", ".venv", ".venvs", "var", "__pycache__", ".*_cache", ".hypothesis", "node_modules")
# A law and each kind of door; all take the new models in by themselves.
TAKEN_IN = {
    "test_what_comes_through_a_door_is_in_the_history",
    "test_nothing_comes_through_a_door_without_its_history_row",
    "test_a_domain_has_models_and_its_part_of_each_door",
    "test_the_admin_lists_shows_and_remembers",
    "test_content_goes_in_and_out_as_files",
    "test_the_api_lists_what_there_is",
    "test_the_api_is_described",
    "test_an_object_travels_with_what_it_hangs_under",
}


@dataclass(frozen=True)
class Block:
    """One block of the document: commands, or code that goes into `file`, whole or at the end of a list in it."""

    text: str
    file: str = ""
    list: str = ""

    @property
    def lines(self) -> int:
        return self.text.count("\n") if self.file else 0


def blocks() -> Iterator[Block]:
    for language, text in BLOCK.findall(DOCUMENT.read_text()):
        if language == "sh":
            yield Block(text)
            continue
        place = PLACE.match(text)
        assert place, f"A block does not say which file it is: {text[:60]}"
        yield Block(text[place.end() :] if place["list"] else text, file=place["file"], list=place["list"] or "")


class Checkout:
    """A copy of this checkout, with the packages of the Python that runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        (folder / ".venv").symlink_to(sys.prefix)

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        names = {str(path.relative_to(self.folder)): path for path in found}
        return {name: path.read_bytes() for name, path in names.items() if not GENERATED.search(name)}

    def follow(self, block: Block) -> str:
        """What its commands say."""
        path = self.folder / block.file
        if not block.file:
            return self._run(block.text)
        if block.list:
            before, after = re.split(rf"(?<=^{block.list} = \[\n)", path.read_text(), maxsplit=1, flags=re.MULTILINE)
            entries, rest = after.split("]\n", 1)
            path.write_text(f"{before}{entries}{block.text}]\n{rest}")
        else:
            assert not path.exists(), f"{block.file} is there already"
            path.write_text(block.text)
        return ""

    def _run(self, commands: str) -> str:
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8"}
        done = subprocess.run(
            **tied(["bash", "-e", "-c", commands]),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("checkout") / "main")


def test_the_page_asks_for_less_than_150_lines_of_code():
    assert 0 < sum(block.lines for block in blocks()) < LINES


@pytest.mark.slow
def test_following_the_page_adds_a_domain_that_passes_all_its_tests(checkout):
    before = checkout.files()
    said = "".join(map(checkout.follow, blocks()))
    after = checkout.files()
    changed = {name for name in after if after[name] != before.get(name)}
    folders = {name for name in changed if name.startswith(("content/shelves/", "tests/content/shelves/"))}
    assert changed - folders == {"backoffice/settings.py"}
    assert "content/shelves/migrations/0001_initial.py" in folders
    assert before.keys() <= after.keys()
    assert set(re.findall(r"::(\w+)\[[^\]]*shelves.* PASSED", said)) >= TAKEN_IN
