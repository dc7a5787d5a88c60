"""The verdicts. Each is one law, or one promise of the issue, asked of rows and journals, not of the engine's words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from backoffice.kit.history import column_values
from syncer.models import Binding, Run, Target, backlog
from tests.chaos import books
from tests.chaos.audit import Audit
from tests.chaos.books import LATER, PERSON, REFUSED
from tests.chaos.ends import Compared, Difference
from tests.chaos.evidence import Said
from tests.chaos.explain import RIGHTLY, Asked, Explained
from tests.chaos.ledger import MODELS
from tests.chaos.workers import Blow

FELT = 15.0  # seconds after a cut, or a blow to that worker, in which errors may tell of it
DATABASE_GONE = (
    "terminating connection",
    "connection already closed",
    "server closed the connection",
    "the connection is closed",
    "cursor already closed",
    "SSL connection has been closed",
)
# What django-q2 and the watchdog say of processes that were killed, or ended when their connection was.
PROCESS_GONE = ("reincarnat", "died", "killed", "exited with", "took no heartbeat", "starting")


@dataclass(kw_only=True)
class Verdict:
    """One line of the judgment."""

    law: str
    wrong: list[str] = field(default_factory=list)  # what speaks against it, as sentences; empty: it holds
    bindings: list[int] = field(default_factory=list)  # whose stories are worth telling

    @property
    def holds(self) -> bool:
        return not self.wrong

    @classmethod
    def of(cls, law: str, found: Sequence[Difference]) -> "Verdict":
        bindings = [one.binding for one in found if one.binding is not None]
        return cls(law=law, wrong=[one.text for one in found], bindings=bindings)


def undone() -> list[str]:
    """What is not at rest, by target and route; empty: drained."""
    found = [
        f"{one.route}: {one.pending} pending, {one.rejected} rejected, {one.in_doubt} in doubt"
        for target in Target.objects.all()
        for one in backlog.of_target(target)
        if one.undone
    ]
    found += [f"{target} is blocked: {target.blocked}" for target in Target.objects.exclude(blocked="")]
    open_runs = Run.objects.filter(finished_at=None).count()
    return [*found, f"{open_runs} runs are open"] if open_runs and not found else found


def drained() -> Verdict:
    rows = Binding.objects.filter(unconfirmed=True) | Binding.objects.filter(in_doubt=True)
    bindings = list(rows.values_list("pk", flat=True))
    wrong = undone() or [f"binding {pk} is not settled" for pk in bindings]
    return Verdict(law="Drained: nothing is pending, rejected, unconfirmed or in doubt", wrong=wrong, bindings=bindings)


def ends(compared: Mapping[str, Compared]) -> list[Verdict]:
    """Laws 2 and 3, by what the remotes hold."""
    different = [one for found in compared.values() for one in found.different]
    doubled = [one for found in compared.values() for one in found.doubled]
    return [
        Verdict.of("Both ends are equal, record by record", different),
        Verdict.of("No object has two records", doubled),
    ]


def blind_creates(asked: Sequence[Asked], decided: Mapping[int, list[float]]) -> Verdict:
    """Law 3: between two creates of one object somebody looked, or they had one key, or the first was refused.

    Args:
        decided: when a person said of a binding that its create had not arrived.
    """
    by_binding: dict[int, list[Asked]] = defaultdict(list)
    lists: dict[tuple[str, str], list[int]] = defaultdict(list)  # the numbers of those that show every record
    for one in sorted(asked, key=lambda one: (one.remote, one.entry.number)):
        if one.binding is not None:
            by_binding[one.binding].append(one)
        elif one.entry.method == "GET" and _was_read(one):
            lists[one.remote, one.entry.path].append(one.entry.number)
    verdict = Verdict(law="No create was sent twice on a guess")
    for binding, requests in by_binding.items():
        open_create: Asked | None = None
        for one in requests:
            is_create = one.entry.method == "POST"
            if is_create and open_create is not None and not _is_replay(open_create, one):
                times = decided.get(binding, [])
                between = range(open_create.entry.number, one.entry.number)
                has_looked = any(number in between for number in lists[one.remote, one.entry.path])
                if not (has_looked or any(open_create.at <= at <= one.at for at in times)):
                    verdict.wrong.append(f"binding {binding}: {open_create}, then {one}")
                    verdict.bindings.append(binding)
            if is_create:
                open_create = None if _was_refused(one) else one
            elif one.entry.method != "GET" or _was_read(one):
                open_create = None
    return verdict


def _is_replay(first: Asked, second: Asked) -> bool:
    keys = {one.entry.headers.get("Idempotency-Key", "") for one in (first, second)}
    bodies = {one.entry.raw for one in (first, second)} - {b""}  # which was not read before the connection was reset
    return len(keys) == 1 and "" not in keys and len(bodies) <= 1


def _was_refused(one: Asked) -> bool:
    return one.entry.fault in LATER | PERSON | REFUSED or (not one.entry.fault and one.entry.status in (400, 404))


def _was_read(one: Asked) -> bool:
    return not one.entry.fault or one.entry.fault in books.WELL


def failures(found: Explained) -> Verdict:
    planted, seen = sum(found.planted.values()), sum(found.met.values()) + sum(found.unseen.values())
    law = "Every failure has its fault, every fault its failure"
    verdict = Verdict(law=law, wrong=list(found.wrong), bindings=list(found.bindings))
    if planted != seen - found.unseen[RIGHTLY] and not verdict.wrong:
        verdict.wrong.append(f"{planted} faults were planted, {seen} found again")
    return verdict


def fencing(audit: Audit) -> Verdict:
    wrong = [f"binding {note.binding} was claimed by {note.who} under a running lease" for note in audit.early]
    wrong += [f"binding {note.binding} was settled by {note.who}, who had lost it" for note in audit.late]
    bindings = [note.binding for note in [*audit.early, *audit.late]]
    return Verdict(law="Who lost a claim settles nothing, and none was taken early", wrong=wrong, bindings=bindings)


def editors(told: Mapping[str, dict[str, Any]], ended: Mapping[str, int | None], cuts: Sequence[float]) -> Verdict:
    """Laws 1 and 4: what was acknowledged is there, and nothing but an ended connection failed a write."""
    verdict = Verdict(law="What was acknowledged to an editor is there")
    verdict.wrong += [f"{name} ended with status {code}" for name, code in ended.items() if code != 0]
    histories = {label: _history(label) for label in MODELS}
    for name, book in told.items():
        for label, pk, body in book["told"]:
            if (pk, body) not in histories[label]:
                verdict.wrong.append(f"{name}: {label} {pk} has no history of {body or 'its deletion'}")
        for label, objects in book["objects"].items():
            verdict.wrong += [f"{name}: {text}" for text in _missing(label, objects)]
        for trouble in book["troubles"]:
            if "import" not in trouble["door"] and not _is_felt(trouble["at"], cuts, FELT):
                verdict.wrong.append(f"{name}: {trouble['door']} failed by itself: {trouble['error']}")
    return verdict


def _history(label: str) -> set[tuple[int, str | None]]:
    rows = apps.get_model(label).history.values_list("id", "body", "history_type")
    return {(pk, None if kind == "-" else body) for pk, body, kind in rows}


def _missing(label: str, objects: dict[str, Any]) -> list[str]:
    """A comment goes with its post, which another editor may have deleted."""
    model: Any = apps.get_model(label)
    posts = set(apps.get_model("news.Post").objects.values_list("pk", flat=True))
    live = {obj.pk: column_values(obj) for obj in model.objects.all()}
    found = []
    for key, values in objects.items():
        row = live.get(int(key))
        went_along = row is None and "post_id" in values and values["post_id"] not in posts
        if not went_along and (row is None or any(row[name] != value for name, value in values.items())):
            found.append(f"{label} {key} should be {values} and is {row}")
    return found


def histories() -> Verdict:
    """Law 5: the newest history row of every object is the object."""
    verdict = Verdict(law="Every object is as its newest history row says")
    for label in MODELS:
        model: Any = apps.get_model(label)
        names = [field.attname for field in model._meta.concrete_fields]
        newest = {row["id"]: row for row in model.history.order_by("history_id").values("history_type", *names)}
        live = {row["id"]: row for row in model.objects.values(*names)}
        last = {pk: {n: row[n] for n in names} for pk, row in newest.items() if row["history_type"] != "-"}
        verdict.wrong += [f"{label} {pk}" for pk in live.keys() | last.keys() if live.get(pk) != last.get(pk)]
    return verdict


def logs(found: Mapping[int, Sequence[Said]], blows: Sequence[Blow], cuts: Sequence[float]) -> Verdict:
    """The workers had no error of their own."""
    verdict = Verdict(law="The workers' logs tell of no other errors")
    for number, lines in found.items():
        own = [blow.at for blow in blows if blow.worker == number]
        for one in lines:
            if one.level not in ("ERROR", "CRITICAL") and "Traceback" not in one.text:
                continue
            words = (*DATABASE_GONE, *PROCESS_GONE)
            if not any(word in one.text for word in words) or not _is_felt(one.at, [*own, *cuts], FELT):
                verdict.wrong.append(f"worker {number}: {one.text[:200]} … {one.text[-600:]}")
    return verdict


def _is_felt(at: float, causes: Sequence[float], seconds: float) -> bool:
    return any(cause - 2 <= at <= cause + seconds for cause in causes)


def processes(orphans: int, left: Sequence[int | None]) -> Verdict:
    verdict = Verdict(law="No process outlived its worker, and all ended when asked to")
    if orphans:
        verdict.wrong.append(f"{orphans} processes outlived the first of their worker")
    verdict.wrong += [f"a worker ended with status {code}" for code in left if code != 0]
    return verdict


def helpers(errors: Sequence[BaseException | None]) -> Verdict:
    wrong = [repr(error) for error in errors if error is not None]
    return Verdict(law="The run itself went as planned", wrong=wrong)
