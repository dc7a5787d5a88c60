from datetime import datetime
from typing import Any

from django.utils import timezone

from syncer.core.errors import TargetStoppedError
from syncer.engine import summary
from syncer.management.base import SyncCommand
from syncer.models import Target, Worker, backlog
from syncer.targets.base import kind_of, two_way

COLUMNS = ("pending", "retrying", "rejected", "in_doubt", "conflicts", "bound")


class Command(SyncCommand):
    help = "Show what is pending at each target. Exit status 0: nothing is left undone anywhere."
    takes_target = False

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        rows, undone = [], 0
        blocked = {target.name: target.blocked for target in Target.objects.exclude(blocked="")}
        for target in Target.objects.all():
            try:
                found = backlog.of_target(target)
            except TargetStoppedError as error:
                blocked[target.name] = str(error)
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
        peers = {target.name: _peer(target) for target in Target.objects.filter(kind__in=two_way())}
        workers = list(Worker.objects.alive().values("host", "pid", "started_at", "heartbeat_at", "restarts"))
        answer = {"routes": rows, "blocked": blocked, "unreachable": silent, "peers": peers, "workers": workers}
        return answer, bool(undone or blocked or silent)

    def text(self, answer: dict[str, Any]) -> str:
        if not (answer["routes"] or answer["blocked"]):
            return "There is no target with a route yet; make one with sync_configure."
        # A target whose marks can't be read has no numbers.
        lines = [f"{'target':16} {'model':20} " + " ".join(f"{name:>9}" for name in COLUMNS)]
        for row in answer["routes"]:
            numbers = " ".join(f"{row[name]:>9}" for name in COLUMNS)
            lines.append(f"{row['target']:16} {row['model']:20} {numbers}")
        lines += [f"{name} is blocked: {why}" for name, why in answer["blocked"].items()]
        lines += [f"{name} {_silence(**found)}" for name, found in answer["unreachable"].items()]
        lines += [f"{name} {_contact(**found)}" for name, found in answer["peers"].items()]
        lines += [_worker(**found) for found in answer["workers"]]
        if not answer["workers"]:
            lines.append("No worker is running; start “manage.py worker”.")
        return "\n".join(lines)


def _peer(target: Target) -> dict[str, Any]:
    return {"node": target.peer_node, "contact": target.contact_at, "knows_us": kind_of(target).is_introduced(target)}


def _contact(*, node: str, contact: datetime | None, knows_us: bool) -> str:
    known = "" if knows_us else "; it does not know this node's incarnation yet"
    return f"is the peer {node}: {f'last contact {_local(contact)}' if contact else 'never heard'}{known}"


def _worker(*, host: str, pid: int, started_at: datetime, heartbeat_at: datetime, restarts: int) -> str:
    again = f", its cluster was restarted {restarts} times" if restarts else ""
    since = f"process {pid}, since {_local(started_at)}{again}"
    return f"A worker runs on {host}, {since}; last heartbeat {_local(heartbeat_at)}"


def _silence(*, why: str, since: datetime, next_try: datetime) -> str:
    return f"is unreachable since {_local(since)}: {why or 'no reason known'}; tried again at {_local(next_try)}"


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
