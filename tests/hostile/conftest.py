"""Counts what passed, by entry point and outcome, and shows it at the end."""

from collections import Counter

import pytest

from tests.content.api_client import ApiClient
from tests.content.doors import api_user
from tests.content.pages import administrator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if mark := item.get_closest_marker("hostile"):
            item.user_properties.append(("hostile", ": ".join(mark.args)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("passed", [])
    counts = Counter(value for one in reports for name, value in one.user_properties if name == "hostile")
    if counts:
        terminalreporter.section("bad input")
        for label, number in sorted(counts.items()):
            terminalreporter.write_line(f"{number:4}  {label}")


@pytest.fixture
def api(db: None) -> ApiClient:
    """Somebody who may do everything; the account for pages is there too."""
    administrator()
    return ApiClient(api_user())
