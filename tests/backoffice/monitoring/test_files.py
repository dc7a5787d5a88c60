"""The alert rules and the dashboard ask for what the program exports, and only for that."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

from backoffice.kit import clock
from backoffice.kit.jobs.models import Job
from backoffice.monitoring import database
from content.news.models import Post
from syncer.core.state import Health
from syncer.models import Run, Worker
from syncer.reports.overview import overview
from tests.content.api_client import ApiClient, make_user
from tests.syncer.conftest import sync, target  # noqa: F401 - a fixture
from tools.nodes import ROOT

RULES, CONFIGURATION = ROOT / "deploy/prometheus/alerts.yml", ROOT / "deploy/prometheus/prometheus.yml"
BOARD = ROOT / "deploy/grafana/backoffice.json"
TOKEN = "a-token-of-the-tests-0123456789"
NAME, LABEL = re.compile(r"\b(?:backoffice_\w+|up)\b"), re.compile(r'(\w+)(=~|=)"([^"]*)"')
SELECTOR = re.compile(r"(\w+){([^}]*)}")
FROM_PROMETHEUS = {"instance", "job"}


def rules() -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def board() -> Any:
    return json.loads(BOARD.read_text())


def expressions() -> list[str]:
    asked = [query["expr"] for panel in board()["panels"] for query in panel["targets"]]
    return [rule["expr"] for rule in rules()] + asked


@pytest.fixture
def exported(target, settings, monkeypatch) -> dict[str, set[str]]:  # noqa: F811
    """The names of all that is exported, with the labels of each."""
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(database, "_until", -1.0)
    now = clock.now()
    Worker.objects.create(host="w", pid=1, started_at=now, heartbeat_at=now)
    ApiClient(make_user()).get("/api/news/posts/")
    Post.objects.create(title="T", body="B")
    sync(target)
    text = Client().get("/metrics/", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    samples = re.findall(r"^(\w+)(?:{(.*)})? \S+$", text, re.MULTILINE)
    return {name: {*re.findall(r'(\w+)="', labels), *FROM_PROMETHEUS} for name, labels in samples}


def test_every_name_and_label_that_is_asked_for_is_exported(exported):
    for expression in expressions():
        assert {*NAME.findall(expression)} <= {*exported, "up"}
        for name, selector in SELECTOR.findall(expression):
            assert {label for label, _, _ in LABEL.findall(selector)} <= exported.get(name, FROM_PROMETHEUS)


def test_all_that_is_exported_is_asked_for(exported):
    asked = set(NAME.findall(" ".join(expressions())))
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in exported}
    assert families - {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked} == set()


def test_every_state_that_is_asked_for_exists(target):  # noqa: F811
    states = {state.replace(" ", "_") for state in Health} | {*overview(target).backlog}
    states |= {str(state) for state in (*Run.OPEN, Job.State.QUEUED, Job.State.RUNNING)}
    for label, _, value in LABEL.findall(" ".join(expressions())):
        if label == "state":
            assert set(value.split("|")) <= states


def test_every_rule_says_what_happened_and_what_to_do():
    for rule in rules():
        assert rule["alert"].startswith("Backoffice")
        assert {"summary", "description"} == {*rule["annotations"]}
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_the_dashboard_can_be_imported():
    panels = board()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["targets"] for panel in panels)
    for path in (RULES, CONFIGURATION, BOARD):
        assert str(Path.home()) not in path.read_text()
    [scraped] = yaml.safe_load(CONFIGURATION.read_text())["scrape_configs"]
    assert (scraped["metrics_path"], scraped["authorization"]["type"]) == ("/metrics/", "Bearer")
