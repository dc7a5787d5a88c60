"""The runner of mutants, on a project of two files."""

from pathlib import Path

import pytest

from tests.mutants.patch import Mutant, MutantError
from tests.mutants.runner import Ending, Runner
from tools.nodes import ROOT

pytestmark = pytest.mark.sqlite  # it touches no database: once is enough
SECONDS = 60
FILES = {
    "pytest.ini": "[pytest]\naddopts = -p no:django\n",
    "conftest.py": """
def pytest_addoption(parser):
    parser.addoption("--database")
    parser.addoption("--quick", action="store_true")
    parser.addoption("--reuse-db", action="store_true")
""",
    "sums.py": "# twice\n# twice\ndef add(a, b):\n    return a + b\n\n\ndef double(a):\n    return a * 2\n",
    "test_sums.py": """
import sums


def test_add():
    assert sums.add(1, 2) == 3


def test_double():
    assert sums.double(0) == 0


def test_that_fails():
    assert False
""",
}
PATCH = """Fault: {fault}
Kills: {kills}
Database: sqlite

--- a/sums.py
+++ b/sums.py
@@
{change}
"""
ADD = " def add(a, b):\n-    return a + b\n+    return a - b"
DOUBLE = "-    return a * 2\n+    return a * 3"
PATCHES = sorted(Path(__file__).parent.glob("*.patch"))


def mutant(folder, name, change, kills):
    path = folder / f"{name}.patch"
    path.write_text(PATCH.format(fault="It is wrong.", kills=kills, change=change))
    return Mutant.read(path)


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    for name, text in FILES.items():
        (root / name).write_text(text)
    return root


def run(tmp_path, project, *mutants, seconds=SECONDS):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return list(Runner(root=project, scratch=scratch, slots=1, seconds=seconds).run(list(mutants)))


@pytest.mark.thorough
def test_a_mutant_that_a_test_sees_is_killed_and_the_next_one_finds_the_code_as_it_was(tmp_path, project):
    one = mutant(tmp_path, "one", ADD, "test_sums.py::test_add")
    two = mutant(tmp_path, "two", DOUBLE, "test_sums.py::test_add")
    reports = run(tmp_path, project, one, two)
    assert [report.ending for report in reports] == [Ending.KILLED, Ending.SURVIVED]
    assert reports[0].why == "test_sums.py::test_add"
    assert (project / "sums.py").read_text() == FILES["sums.py"]


@pytest.mark.thorough
def test_a_mutant_that_no_test_sees_survives(tmp_path, project):
    (report,) = run(tmp_path, project, mutant(tmp_path, "one", DOUBLE, "test_sums.py::test_double"))
    assert (report.ending, report.why) == (Ending.SURVIVED, "no test sees this: It is wrong.")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("-    return a - b\n+    return a", "its lines stand 0 times in sums.py; rewrite tests/mutants/one.patch"),
        ("-# twice\n+# once", "its lines stand 2 times in sums.py"),
        ("-    return a + b\n+    return a +", "sums.py is no Python then"),
    ],
    ids=["other code", "twice", "no Python"],
)
def test_a_mutant_that_can_not_be_planted_is_an_error(tmp_path, project, change, why):
    (report,) = run(tmp_path, project, mutant(tmp_path, "one", change, "test_sums.py::test_add"))
    assert report.ending is Ending.ERROR
    assert why in report.why


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kills", "why"),
    [
        ("test_sums.py::test_that_fails", "1 failed"),
        ("test_sums.py::test_that_is_not_there", "ended with status 4"),
    ],
)
def test_a_test_that_fails_without_the_fault_proves_nothing(tmp_path, project, kills, why):
    (report,) = run(tmp_path, project, mutant(tmp_path, "one", ADD, kills))
    assert (report.name, report.ending) == ("(nothing planted, sqlite)", Ending.ERROR)
    assert why in report.why


@pytest.mark.thorough
def test_a_fault_that_breaks_the_collection_is_not_killed(tmp_path, project):
    change = "-def double(a):\n+def double(a, *, b=undefined):"
    (report,) = run(tmp_path, project, mutant(tmp_path, "one", change, "test_sums.py::test_add"))
    assert report.ending is Ending.ERROR
    assert "ended with status" in report.why


@pytest.mark.thorough
def test_a_fault_that_never_ends_is_an_error(tmp_path, project):
    change = " def add(a, b):\n+    __import__('signal').pause()"
    (report,) = run(tmp_path, project, mutant(tmp_path, "one", change, "test_sums.py::test_add"), seconds=5)
    assert report.ending is Ending.ERROR
    assert "pytest took too long" in report.why


@pytest.mark.parametrize("missing", ["Fault: ", "Kills: ", "Database: ", "--- a/"])
def test_a_mutant_that_does_not_say_all_is_refused(tmp_path, missing):
    path = tmp_path / "one.patch"
    lines = PATCH.format(fault="It is wrong.", kills="test_sums.py", change=ADD).splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith(missing)))
    with pytest.raises(MutantError, match=r"one.patch lacks"):
        Mutant.read(path)


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_every_mutant_fits_todays_code(path):
    assert Mutant.read(path).planted(ROOT)
