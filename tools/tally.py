"""`python -m tools.tally FOLDER FLOOR`: add up the JUnit reports in a folder; the last line is `N passed, M failed`.

Status 1: a test failed, or fewer passed than the number in the file FLOOR, which means that some did not run.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree


def main() -> int:
    folder, floor = Path(sys.argv[1]), int(Path(sys.argv[2]).read_text())
    passed = failed = 0
    for report in folder.glob("*.xml"):
        for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 - pytest wrote it
            failures = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            failed += failures
            passed += int(suite.get("tests", 0)) - failures - int(suite.get("skipped", 0))
    if passed < floor:
        print(f"Fewer than the {floor} of {sys.argv[2]} passed: some tests did not run.")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed < floor)


if __name__ == "__main__":
    sys.exit(main())
