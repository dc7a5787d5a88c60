"""docs/operating.md says what each state, message and command means; read from the source: none is forgotten."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncer.management import commands
from syncer.models import Attempt, Notice, Run
from syncer.reports.states import State
from syncer.reports.words import Health

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/operating.md").read_text()
# Where the sentences are written that an operator may see.
SOURCES = [
    "backoffice/kit/addresses.py::refusal",
    "backoffice/kit/connections.py",
    "backoffice/kit/http.py",
    "backoffice/kit/references.py::resolve _place _read",
    "backoffice/kit/jobs",
    "syncer",
]
# Words about one file, form or page, whose own text names the cure, and texts that are not for people.
ELSEWHERE = [
    "backoffice/kit/jobs/api.py",
    "backoffice/kit/jobs/migrations",
    "backoffice/kit/jobs/models.py",
    "syncer/admin",  # what it answers to a press of a button; the refusals of `doubt` are elsewhere
    "syncer/configure.py",
    "syncer/core/order.py",
    "syncer/core/schedule.py",
    "syncer/core/toml_lines.py",
    "syncer/mapping.py",
    "syncer/management/commands/sync_configure.py",
    "syncer/migrations",
    "syncer/models",
    "syncer/reports/preview.py",
    "syncer/reports/reading.py",
    "syncer/reports/states.py",  # meanings of words that are looked for one by one below
    "syncer/reports/words.py",
    "syncer/unrecorded.py",
]
ALSO = ["syncer/admin/doubt.py", "syncer/admin/history_check.py"]
CODE = re.compile(
    r"\b(SELECT|UNION|INSERT|AND NOT|WHERE|COLLATE|DISTINCT|PRAGMA|ANY)\b|[<>]\s*%s|\(\?|\\d|%[YHZ]|<\w+ |\w = …"
)
PLACE = re.compile(r"…|%[a-z]|%\(\w+\)s|\{\w*\}")
WORD = re.compile(r"[A-Za-z]{2,}")
NAMES = {"help", "help_text", "description", "name", "search_help_text", "summary"}  # of arguments that are no messages
NOT_SHOWN = {"refused by us"}
EDGES = " .,:;()[]“”'\"?"


def plain(text: str) -> str:
    """In small letters, without the signs of Markdown and with single spaces."""
    return " ".join(text.replace("`", "").replace("*", "").split()).lower()


LINES = [plain(line) for line in PAGE.replace("\n", " \n").splitlines()]


def is_told(message: str) -> bool:
    """Some line of the page has all the words of the message, in its order; of some, two lines together."""
    parts = [plain(part).strip(EDGES) for part in PLACE.split(message) if WORD.search(part)]
    pattern = re.compile(".*".join(map(re.escape, parts)))
    return any(pattern.search(" ".join(two)) for two in zip(LINES, [*LINES[1:], ""], strict=True))


# --- the words -------------------------------------------------------------------------------------------------------
WORDS = {
    "The state of an object": [*State],
    "The state of a target": [*Health],
    "A run": [choice.label for choice in Run.State],
    "An attempt": [choice.label for choice in Attempt.Outcome],
    "Notices": [choice.label for choice in Notice.Outcome],
}


@pytest.mark.parametrize(("title", "word"), [(title, str(word)) for title, words in WORDS.items() for word in words])
def test_each_word_for_a_state_has_its_row(title, word):
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert f"\n| {word} |" in section, f"docs/operating.md, “{title}”, has no row: {word}"


@pytest.mark.parametrize("path", sorted(Path(commands.__path__[0]).glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_each_command_is_there_with_its_exit_status(path):
    assert re.search(rf"^\| `{path.stem}[ `].*\|.*\|.*\|$", PAGE, flags=re.MULTILINE), f"docs/operating.md: {path.stem}"


# --- the messages ----------------------------------------------------------------------------------------------------
def sentences(tree: ast.AST) -> Iterator[str]:
    """The texts of three words or more in code: no documentation, no code of another language. `…` for what varies."""
    aside = {id(part) for node in ast.walk(tree) for part in _not_for_people(node)}
    for node in ast.walk(tree):
        text = None if id(node) in aside else _text(node)
        words = [word for word in PLACE.sub("", text or "").split() if WORD.search(word)]
        if text and len(words) >= 3 and not CODE.search(text) and text not in NOT_SHOWN:
            yield text


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _not_for_people(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Module(body=[ast.Expr(value=text), *_]) | ast.ClassDef(body=[ast.Expr(value=text), *_]):
            yield text
        case ast.FunctionDef(body=[ast.Expr(value=text), *_]):
            yield text
        case ast.JoinedStr(values=parts):
            yield from (part for part in parts if isinstance(part, ast.Constant))
        case ast.keyword(arg=name, value=value) if name in NAMES:
            yield from ast.walk(value)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in NAMES:
            yield from ast.walk(value)


def trees(source: str) -> Iterator[tuple[str, ast.AST]]:
    """The named functions of a module, a module, or all modules of a folder but those ELSEWHERE."""
    name, _, functions = source.partition("::")
    path = ROOT / name
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        relative, tree = str(file.relative_to(ROOT)), ast.parse(file.read_text())
        if path.is_dir() and relative not in ALSO and relative.startswith(tuple(ELSEWHERE)):
            continue
        for node in tree.body if functions else [tree]:
            if not functions or getattr(node, "name", None) in functions.split():
                yield relative, node


MESSAGES = sorted({(file, text) for source in SOURCES for file, tree in trees(source) for text in sentences(tree)})


@pytest.mark.parametrize(("file", "message"), MESSAGES)
def test_each_message_is_explained(file, message):
    assert is_told(message), f"docs/operating.md has no line with “{message}” ({file})"


def test_the_messages_are_found():
    """Some of each kind; else a change of style in the source could leave the test above with nothing to do."""
    assert all((ROOT / path).exists() for path in [*ELSEWHERE, *ALSO])
    found = {text for _, text in MESSAGES}
    assert len(found) > 120
    assert "refused the connection" in found  # given to an error
    assert "sent a broken answer (it ended too early)" in found  # from a table
    assert "is at …, an address that is never spoken to" in found  # put together
    assert "a create was not answered, and this route has no lookup to find it by" in found  # a constant
    assert "notice %s was not told: %s" in found  # logged
    assert "No worker is running; start “manage.py worker”." in found  # printed


@pytest.mark.parametrize("message", ["broke the … in two halves", "refused the connection twice"])
def test_a_message_that_nobody_explained_is_noticed(message):
    assert not is_told(message)
