"""SECURITY.md claims nothing without a test, and the tests that it names exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def functions(file: str) -> set[str]:
    path = ROOT / file
    found = ast.walk(ast.parse(path.read_text())) if path.exists() else []
    return {node.name for node in found if isinstance(node, ast.FunctionDef)}


def claims() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each row of the tables of claims with the tests that it names."""
    rows = re.findall(r"^\| (?!cannot \||---)(.+?) \| (.*) \|$", read().partition("## Bad input")[0], re.M)
    return [(claim, TEST.findall(tests)) for claim, tests in rows]


def read() -> str:
    return (ROOT / "SECURITY.md").read_text()


def test_every_claim_names_a_test():
    assert len(claims()) > 50
    assert [claim for claim, tests in claims() if not tests] == []


def test_the_tests_that_are_named_exist():
    named = TEST.findall(read())
    assert len(named) == read().count("::"), "a test is not written as `tests/file.py::test_name`"
    assert [f"{file}::{name}" for file, name in named if name not in functions(file)] == []
