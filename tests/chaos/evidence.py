"""What the run left behind, gathered once everything has stopped: from the database, the remotes and the logs."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syncer.models import Attempt, Binding
from tests.chaos import audit
from tests.chaos.audit import Audit
from tests.chaos.explain import Asked, Tried, whose
from tests.chaos.marks import mark_of
from tests.chaos.stage import Editors
from tests.chaos.workers import Workers
from tests.remote import Remote

GIVEN_UP = "syncer.engine.worker: the queue's cluster"
LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+) (\w+) \[")
MONOTONIC = time.time() - time.monotonic()  # of the journals' clock, in Unix time


def tried() -> list[Tried]:
    """Every attempt."""
    rows = Attempt.objects.select_related("binding__route__target", "run").order_by("at")
    return [
        Tried(
            remote=row.binding.route.target.name,
            binding=row.binding_id,
            at=row.at.timestamp(),
            seconds=row.milliseconds / 1000,
            action=row.action,
            outcome=row.outcome,
            method=row.method,
            path=urlsplit(row.url).path,
            status=row.status,
            answer=row.answer,
        )
        for row in rows
    ]


def asked(remotes: Mapping[str, Remote], notes: Audit) -> list[Asked]:
    """Every request that came in."""
    found: list[Asked] = []
    bindings = list(Binding.objects.select_related("route__target"))
    for name, remote in remotes.items():
        own = [binding for binding in bindings if binding.route.target.name == name]
        by_mark = {(one.route.path, mark_of(one.route.model, int(one.object_key))): one.pk for one in own}
        by_record = {f"{one.route.path}/{key}": one.pk for one in own for key in notes.records[one.pk]}
        found += [
            Asked(remote=name, entry=entry, at=entry.at + MONOTONIC, binding=whose(entry, notes, by_mark, by_record))
            for entry in remote.journal
        ]
    return found


@dataclass(frozen=True, kw_only=True)
class Said:
    """One entry of a log; `at` is Unix time, of what follows no line of ours that of the line before."""

    at: float
    level: str
    text: str


def said(log: Path) -> Iterator[Said]:
    """The entries of a log, each with the lines that follow it."""
    at, level, lines = 0.0, "", list[str]()
    for line in log.read_text(errors="replace").splitlines():
        if begins := LINE.match(line):
            if lines:
                yield Said(at=at, level=level, text="\n".join(lines))
            at = datetime.strptime(f"{begins[1]}000+0000", "%Y-%m-%d %H:%M:%S,%f%z").timestamp()
            level, lines = begins[2], []
        lines.append(line)
    if lines:
        yield Said(at=at, level=level, text="\n".join(lines))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All of it."""

    audit: Audit
    tried: list[Tried]
    asked: list[Asked]
    books: dict[str, dict[str, Any]]
    said: dict[int, list[Said]]

    def restarts(self, worker: int) -> list[float]:
        """When its watchdog gave up its cluster and started another one."""
        return [one.at for one in self.said[worker] if GIVEN_UP in one.text]

    def story(self, pk: int) -> dict[str, Any]:
        """All that is known of one binding, for who has to find out."""
        claims = [
            {"at": one.at, "until": one.until, "token": one.note.token, "by": one.note.who, "left": one.is_abandoned}
            for one in self.audit.claims[pk]
        ]
        requests = [one for one in self.asked if one.binding == pk]
        return {
            "binding": Binding.objects.filter(pk=pk).values().first(),
            "claims": claims,
            "requests": [{"at": one.at, "what": str(one), "body": one.entry.body} for one in requests],
            "attempts": [{"at": one.at, "what": str(one)} for one in self.tried if one.binding == pk],
        }


def gather(remotes: Mapping[str, Remote], workers: Workers, editors: Editors) -> Evidence:
    """Once everything has stopped."""
    notes = audit.read()
    return Evidence(
        audit=notes,
        tried=tried(),
        asked=asked(remotes, notes),
        books={name: json.loads(file.read_text()) for name, file in editors.books.items() if file.exists()},
        said={worker.number: list(said(worker.log)) for worker in workers.all},
    )
