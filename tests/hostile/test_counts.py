"""The table in SECURITY.md counts the inputs as the tables here have them."""

from tests.hostile.__main__ import SECURITY, written


def test_security_md_counts_every_input():
    text = SECURITY.read_text()
    assert written(text) == text, "Run .venv/bin/python -m tests.hostile"
