"""An audit that could not look is not a pass."""

import json

import pytest

from tools.audit import NoAnswerError, is_text, vulnerable, weaknesses

FINE = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "Dependency not found on PyPI and could not be audited: b (2)"}
WEAK = {"name": "c", "version": "3", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["3.1"], "aliases": []}]}


def test_a_known_weakness_is_named_with_its_cure():
    assert weaknesses([FINE]) == []
    assert weaknesses([FINE, WEAK]) == ["c 3: PYSEC-2026-1, mended in 3.1"]


@pytest.mark.parametrize("found", [[SKIPPED], [FINE, SKIPPED], [WEAK, SKIPPED], []])
def test_a_package_that_was_not_looked_up_is_not_a_pass(found):
    with pytest.raises(NoAnswerError, match="could not be looked up"):
        weaknesses(found)


def test_a_registry_that_does_not_answer_is_not_a_pass():
    refused = {"message": "405 Method Not Allowed - POST /-/npm/v1/security/advisories/bulk", "method": "POST"}
    for said, why in ((json.dumps(refused), "405 Method"), ("", "nothing")):
        with pytest.raises(NoAnswerError, match=why):
            vulnerable(said)


def test_what_npm_finds_is_named():
    assert vulnerable('{"vulnerabilities": {}}') == []
    assert vulnerable('{"vulnerabilities": {"a": {"severity": "high"}}}') == ["a (high)"]


def test_locks_and_catalogues_are_not_searched_for_secrets():
    searched = [".env.example", "backoffice/settings.py", "tests/backoffice/untrusted.pem", "docker-compose.yml"]
    skipped = ["", "requirements/dev.txt", "tests/real/package-lock.json", "content/locale/de/LC_MESSAGES/django.po"]
    assert [is_text(file) for file in [*searched, *skipped]] == [True] * 4 + [False] * 4
