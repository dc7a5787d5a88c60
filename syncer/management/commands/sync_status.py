from typing import Any

from syncer.errors import TargetStopped
from syncer.management.base import SyncCommand
from syncer.models import Target
from syncer.reports import status

COLUMNS = ("pending", "failing", "parked", "in_doubt", "held", "bound")


class Command(SyncCommand):
    help = "Show what is pending at each target. Exit status 0: nothing is left undone anywhere."
    takes_target = False

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        rows, undone = [], 0
        paused = {target.name: target.paused for target in Target.objects.exclude(paused="")}
        for target in Target.objects.all():
            try:
                found = status.of_target(target)
            except TargetStopped as error:
                paused[target.name] = str(error)
                continue
            for one in found:
                undone += one.undone
                numbers = {name: getattr(one, name) for name in COLUMNS}
                rows.append({"target": target.name, "model": one.route.model, **numbers, "next_try": one.next_try})
        return {"routes": rows, "paused": paused}, bool(undone or paused)

    def text(self, answer: dict[str, Any]) -> str:
        if not answer["routes"]:
            return "There is no target with a route yet; make one with sync_configure."
        lines = [f"{'target':16} {'model':20} " + " ".join(f"{name:>8}" for name in COLUMNS)]
        for row in answer["routes"]:
            numbers = " ".join(f"{row[name]:>8}" for name in COLUMNS)
            lines.append(f"{row['target']:16} {row['model']:20} {numbers}")
        return "\n".join(lines + [f"{name} is paused: {why}" for name, why in answer["paused"].items()])
