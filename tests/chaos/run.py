"""One run, from the first process to the verdicts. The settings are read by now."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from syncer.models import Binding, Run, Target
from syncer.models.binding import DUE
from tests.chaos import evidence, judge, stage
from tests.chaos.director import Director
from tests.chaos.ends import Compared, compare
from tests.chaos.evidence import Evidence
from tests.chaos.explain import Explained, Explainer
from tests.chaos.operator import Operator
from tests.chaos.schedule import schedule
from tests.chaos.workers import Workers
from tools.processes import Processes
from tools.run import say

DRAIN = 45.0  # seconds
LONGER = 60.0  # more, while all that is left sits out a wait of its own
STORIES = 5  # bindings of each verdict whose whole story is kept
BOOK = ("doors", "troubles", "refusals")  # of an editor's books, what is kept
STARTS = 60.0  # seconds that the workers have to start before the first edit
EDITORS_START = 4.0  # the same for the editors


class Chaos:
    """One run of `seconds` by `seed`, in the folder `var`."""

    def __init__(self, *, seed: str, seconds: float, var: Path) -> None:
        self.seed, self.seconds, self.var = seed, seconds, var
        self.events = schedule(seed, seconds)
        self.drain_seconds = 0.0

    def run(self) -> dict[str, Any]:
        """All that is known of it afterwards; `verdicts` says whether the laws hold."""
        with stage.remotes_of(self.seed) as self.remotes, Processes() as processes:
            stage.build(self.remotes)
            stage.start_web(processes, self.var)
            with Workers(self.var) as self.workers:
                self._storm()
                self._calm()
                self.workers.stop()
            return self._judge()

    def _storm(self) -> None:
        """A minute of it. The editors end last: each learns first what became of its last write."""
        self.workers.wait_until_ready(STARTS)
        begin = time.time() + EDITORS_START
        say(f"{self.seconds:g} s of edits, with {len(self.events)} blows, outages and cuts …")
        self.operator = Operator(self.remotes)
        self.director = Director(events=self.events, begin=begin, workers=self.workers, remotes=self.remotes)
        self.editors = stage.Editors(seed=self.seed, begin=begin, seconds=self.seconds, var=self.var)
        self.operator.start()
        self.director.start()
        self.director.join()
        self.ended = self.editors.wait()

    def _calm(self) -> None:
        """Nothing fails any more; what is left is caught up with."""
        connection.close()  # it was ended with all others
        for remote in self.remotes.values():
            remote.heal()
        began = time.monotonic()
        say("All is put right; draining …")
        while judge.undone() and (spent := time.monotonic() - began) < DRAIN + LONGER:
            if spent > DRAIN and not _waits():
                break
            time.sleep(0.25)
        self.drain_seconds = round(time.monotonic() - began, 1)
        self.operator.stop()

    def _judge(self) -> dict[str, Any]:
        seen = evidence.gather(self.remotes, self.workers, self.editors)
        explained = self._explainer(seen).explain()
        compared = {target.name: compare(target, self.remotes[target.name]) for target in Target.objects.all()}
        blows, cuts = self.workers.blows, self.director.cuts
        verdicts = [
            judge.drained(),
            *judge.ends(compared),
            judge.blind_creates(seen.asked, self.operator.decided),
            judge.failures(explained),
            judge.fencing(seen.audit),
            judge.editors(seen.books, self.ended, cuts),
            judge.histories(),
            judge.logs(seen.said, blows, cuts),
            judge.processes(self.workers.orphans, self.workers.left),
            judge.helpers([self.director.error, self.operator.error]),
        ]
        return {
            "seed": self.seed,
            "seconds": self.seconds,
            "holds": all(one.holds for one in verdicts),
            "verdicts": {one.law: one.wrong for one in verdicts},
            "counts": self._counts(seen, explained, compared),
            "schedule": [asdict(event) for event in self.events],
            "blows": [asdict(blow) for blow in blows],
            "cuts": cuts,
            "outages": [asdict(outage) for outage in self.director.outages],
            "take-overs": [(one.at, one.until, one.worker, one.note.binding) for one in seen.audit.abandoned],
            "requests a second": pace([one.at for one in seen.asked]),
            "editors": {name: {key: book[key] for key in BOOK} for name, book in seen.books.items()},
            "stories": [seen.story(pk) for one in verdicts for pk in one.bindings[:STORIES]],
            "report": verdicts,
        }

    def _explainer(self, seen: Evidence) -> Explainer:
        struck = {worker.number: seen.restarts(worker.number) for worker in self.workers.all}
        for blow in self.workers.blows:
            struck[blow.worker].append(blow.at)
        return Explainer(
            tried=seen.tried,
            asked=seen.asked,
            audit=seen.audit,
            struck=struck,
            cuts=self.director.cuts,
            outages=self.director.outages,
            lost={name: remote.lost for name, remote in self.remotes.items()},
        )

    def _counts(self, seen: Evidence, explained: Explained, compared: Mapping[str, Compared]) -> dict[str, Any]:
        actions = Counter(one.action for one in seen.tried)
        return {
            "writes": {name: sum(book["doors"].values()) for name, book in seen.books.items()},
            "doors": sum((Counter(book["doors"]) for book in seen.books.values()), Counter[str]()),
            "writes tried again": sum(len(book["troubles"]) for book in seen.books.values()),
            "writes that lost a race": sum(len(book["refusals"]) for book in seen.books.values()),
            "requests": Counter(one.remote for one in seen.asked),
            "attempts": actions,
            "faults": explained.planted,
            "requests whose worker died": explained.unseen,
            "other failures": explained.other,
            "blows": Counter(blow.what for blow in self.workers.blows),
            "connections ended": len(self.director.cuts),
            "outages": len(self.director.outages),
            "starts of workers": sum(worker.starts for worker in self.workers.all),
            "claims": sum(len(claims) for claims in seen.audit.claims.values()),
            "take-overs": len(seen.audit.abandoned),
            "answers that came too late": sum(one.is_late for one in seen.tried),
            "doubts": seen.audit.doubts,
            "rejects": seen.audit.rejects,
            "operator": self.operator.did,
            "runs": Run.objects.count(),
            "equal objects": {name: found.equal for name, found in compared.items()},
            "seconds to drain": self.drain_seconds,
        }


def pace(times: list[float]) -> list[int]:
    """How many in each second, from the first to the last."""
    counted = Counter(int(at) for at in times)
    return [counted[second] for second in range(min(counted), max(counted) + 1)] if counted else []


def _waits() -> bool:
    """What is left sits out a wait: the engine is at rest until it is over."""
    left = Binding.objects.filter(DUE, in_doubt=False)
    return left.exists() and not left.exclude(not_before__gt=timezone.now()).exists()
