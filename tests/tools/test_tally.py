"""CI's last line counts what pytest reported, and is red where a test failed or did not run."""

import subprocess
import sys

import pytest

from tools.nodes import ROOT

pytestmark = pytest.mark.slow  # each starts pytest
TEST = """
import pytest

def test_good(): pass
def test_bad(): assert {bad}
def test_broken(fixture): pass

@pytest.fixture
def fixture():
    assert {bad}
"""


@pytest.fixture
def reports(tmp_path):
    def report(*, bad):
        (tmp_path / "test_it.py").write_text(TEST.format(bad=not bad))
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:django",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            tmp_path,
        ]
        subprocess.run([*words, "-c", "/dev/null", f"--junitxml={tmp_path}/{bad}.xml", tmp_path], cwd=tmp_path)

    return report


def tally(folder, floor):
    (folder / "floor").write_text(f"{floor}\n")
    done = subprocess.run(
        [sys.executable, "-m", "tools.tally", folder, folder / "floor"], cwd=ROOT, capture_output=True, text=True
    )
    return done.returncode, done.stdout.splitlines()


def test_what_passed_and_failed_is_the_last_line(tmp_path, reports):
    reports(bad=False)
    assert tally(tmp_path, 3) == (0, ["3 passed, 0 failed"])
    reports(bad=True)
    status, lines = tally(tmp_path, 3)
    assert (status, lines[-1]) == (1, "4 passed, 2 failed")


def test_fewer_than_the_floor_is_a_failure(tmp_path, reports):
    reports(bad=False)
    status, lines = tally(tmp_path, 4)
    assert (status, lines[-1]) == (1, "3 passed, 0 failed")


def test_no_report_is_a_failure(tmp_path):
    assert tally(tmp_path, 1)[0] == 1
