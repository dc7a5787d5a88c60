"""Counts what passed, by entry point and outcome, and shows it at the end."""

from collections import Counter

import pytest

from tests.content.api_client import ApiClient
from tests.content.doors import api_user
from tests.content.pages import administrator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if mark := item.get_closest_marker("hostile"):
            entry, outcome, inputs = mark.args
            item.user_properties.append((f"hostile {entry}: {outcome}", inputs))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        counts.update({name: number for name, number in report.user_properties if name.startswith("hostile ")})
    if counts:
        terminalreporter.section("bad input")
        for name, number in sorted(counts.items()):
            terminalreporter.write_line(f"{number:4}  {name.removeprefix('hostile ')}")


@pytest.fixture
def api(db: None) -> ApiClient:
    """Somebody who may do everything; the account for pages is there too."""
    administrator()
    return ApiClient(api_user())
