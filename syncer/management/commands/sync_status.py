from datetime import datetime
from typing import Any

from django.utils import timezone

from syncer.core.errors import TargetStopped
from syncer.engine import summary
from syncer.management.base import SyncCommand
from syncer.models import Target, Worker, backlog

COLUMNS = ("pending", "failing", "parked", "in_doubt", "held", "conflicts", "bound")


class Command(SyncCommand):
    help = "Show what is pending at each target. Exit status 0: nothing is left undone anywhere."
    takes_target = False

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        rows, undone = [], 0
        paused = {target.name: target.paused for target in Target.objects.exclude(paused="")}
        for target in Target.objects.all():
            try:
                found = backlog.of_target(target)
            except TargetStopped as error:
                paused[target.name] = str(error)
                continue
            for one in found:
                undone += one.undone
                numbers = {name: getattr(one, name) for name in COLUMNS}
                rows.append({"target": target.name, "model": one.route.model, **numbers, "next_try": one.next_try})
        silent = {
            target.name: {
                "why": summary.last_failure(target),
                "since": target.opened_at,
                "next_try": summary.next_try(target),
            }
            for target in Target.objects.filter(opened_at__isnull=False)
        }
        peers = {target.name: _peer(target) for target in Target.objects.filter(kind=Target.Kind.PEER)}
        workers = list(Worker.objects.alive().values("host", "pid", "started_at", "beat_at", "restarts"))
        answer = {"routes": rows, "paused": paused, "not_answering": silent, "peers": peers, "workers": workers}
        return answer, bool(undone or paused or silent)

    def text(self, answer: dict[str, Any]) -> str:
        if not (answer["routes"] or answer["paused"]):
            return "There is no target with a route yet; make one with sync_configure."
        # A target whose marks can't be read has no numbers.
        lines = [f"{'target':16} {'model':20} " + " ".join(f"{name:>9}" for name in COLUMNS)]
        for row in answer["routes"]:
            numbers = " ".join(f"{row[name]:>9}" for name in COLUMNS)
            lines.append(f"{row['target']:16} {row['model']:20} {numbers}")
        lines += [f"{name} is paused: {why}" for name, why in answer["paused"].items()]
        lines += [f"{name} {_silence(**found)}" for name, found in answer["not_answering"].items()]
        lines += [f"{name} {_contact(**found)}" for name, found in answer["peers"].items()]
        lines += [_worker(**found) for found in answer["workers"]]
        if not answer["workers"]:
            lines.append("No worker is running; start “manage.py worker”.")
        return "\n".join(lines)


def _peer(target: Target) -> dict[str, Any]:
    return {"node": target.peer_node, "contact": target.contact_at, "knows_us": summary.is_known_to(target)}


def _contact(*, node: str, contact: datetime | None, knows_us: bool) -> str:
    known = "" if knows_us else "; it is still to be told who we are"
    return f"is the peer {node}: {f'last contact {_local(contact)}' if contact else 'never heard'}{known}"


def _worker(*, host: str, pid: int, started_at: datetime, beat_at: datetime, restarts: int) -> str:
    again = f", its cluster started anew {restarts} times" if restarts else ""
    return f"A worker runs on {host}, process {pid}, since {_local(started_at)}{again}; last beat {_local(beat_at)}"


def _silence(*, why: str, since: datetime, next_try: datetime) -> str:
    return f"is not answering since {_local(since)}: {why or 'no reason known'}; tried again at {_local(next_try)}"


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
