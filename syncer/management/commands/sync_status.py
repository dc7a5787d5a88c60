from datetime import datetime

from django.utils import timezone

from syncer.core.errors import TargetStoppedError
from syncer.engine import ceiling
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Target, Worker, backlog
from syncer.targets.base import kind_of, two_way

COLUMNS = ("pending", "retrying", "rejected", "in_doubt", "on_hold", "conflicts", "bound")


class Command(SyncCommand):
    help = "Show what is pending at each target. Exit status 0: nothing is left undone anywhere."
    takes_target = False

    def answer(self, **_: object) -> tuple[JsonObject, bool]:
        rows, deletes, undone = [], {}, 0
        blocked = {target.name: target.blocked for target in Target.objects.exclude(blocked="")}
        for target in Target.objects.all():
            try:
                backlogs = backlog.of_target(target)
                if waiting := ceiling.waiting_at(target):
                    deletes[target.name] = ceiling.sentence(waiting)
            except TargetStoppedError as error:
                blocked[target.name] = str(error)
                continue
            for item in backlogs:
                undone += item.undone
                numbers = {name: getattr(item, name) for name in COLUMNS}
                rows.append({"target": target.name, "model": item.route.model, **numbers, "next_try": item.next_try})
        workers = list(Worker.objects.alive().values("host", "pid", "started_at", "heartbeat_at", "restarts"))
        unreachable = _unreachable_targets()
        answer = {
            "routes": rows,
            "blocked": blocked,
            "unreachable": unreachable,
            "deletes": deletes,
            "peers": _peers(),
            "workers": workers,
        }
        return answer, bool(undone or blocked or unreachable)

    def text(self, answer: JsonObject) -> str:
        if not (answer["routes"] or answer["blocked"]):
            return "There is no target with a route yet; create one with sync_configure."
        # A target whose marks can't be read has no numbers.
        lines = [f"{'target':16} {'model':20} " + " ".join(f"{name:>9}" for name in COLUMNS)]
        for row in answer["routes"]:
            numbers = " ".join(f"{row[name]:>9}" for name in COLUMNS)
            lines.append(f"{row['target']:16} {row['model']:20} {numbers}")
        lines += [f"{name} is blocked: {why}" for name, why in answer["blocked"].items()]
        lines += [f"{name} {_unreachable(**facts)}" for name, facts in answer["unreachable"].items()]
        lines += [f"{name}: {sentence}" for name, sentence in answer["deletes"].items()]
        lines += [f"{name} {_contact(**facts)}" for name, facts in answer["peers"].items()]
        lines += [_worker(**facts) for facts in answer["workers"]]
        if not answer["workers"]:
            lines.append("No worker is running; start “manage.py worker”.")
        return "\n".join(lines)


def _unreachable_targets() -> dict[str, JsonObject]:
    return {
        target.name: {"why": backlog.last_failure(target), "since": target.opened_at, "next_try": target.next_try()}
        for target in Target.objects.filter(opened_at__isnull=False)
    }


def _peers() -> dict[str, JsonObject]:
    return {
        peer.name: {
            "node": peer.peer_node,
            "contact": peer.contact_at,
            "knows_us": kind_of(peer).is_introduced(peer),
        }
        for peer in Target.objects.filter(kind__in=two_way())
    }


def _contact(*, node: str, contact: datetime | None, knows_us: bool) -> str:
    known = "" if knows_us else "; it does not know this node's incarnation yet"
    return f"is the peer {node}: {f'last contact {_local(contact)}' if contact else 'never heard'}{known}"


def _worker(*, host: str, pid: int, started_at: datetime, heartbeat_at: datetime, restarts: int) -> str:
    again = f", its cluster was restarted {restarts} times" if restarts else ""
    since = f"process {pid}, since {_local(started_at)}{again}"
    return f"A worker runs on {host}, {since}; last heartbeat {_local(heartbeat_at)}"


def _unreachable(*, why: str, since: datetime, next_try: datetime) -> str:
    return f"is unreachable since {_local(since)}: {why or 'no reason known'}; tried again at {_local(next_try)}"


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
