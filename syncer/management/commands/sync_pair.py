from dataclasses import asdict
from typing import Any

from django.conf import settings

from syncer.management.base import SyncCommand
from syncer.targets.peer.pair import ends

COLUMNS = ("objects", "pending", "retrying", "rejected", "conflicts")


class Command(SyncCommand):
    help = "Show how both ends of a pair stand. Exit status 0: nothing is to travel, and nobody has to decide anything."

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        found = ends.look(self.target(options["target"]))
        answer = {
            "target": found.target.name,
            "node": settings.NODE,
            "peer": found.target.peer_node,
            "contact_at": found.target.contact_at,
            "problem": found.problem,
            "warnings": found.warnings,
            "models": [asdict(both) for both in found.models],
        }
        return answer, not found.is_quiet

    def text(self, answer: dict[str, Any]) -> str:
        lines = [f"{'model':20} {'node':16} " + " ".join(f"{name:>9}" for name in COLUMNS) + "  history read"]
        for both in answer["models"]:
            for side, node in (("here", answer["node"]), ("there", answer["peer"])):
                lines.append(f"{both['model']:20} {node:16} {_numbers(both[side])}")
                lines += [f"  {node}: {both[side]['problem']}"] if both[side] and both[side]["problem"] else []
        lines += [text for text in (answer["problem"], *answer["warnings"]) if text]
        return "\n".join(lines)


def _numbers(end: dict[str, Any] | None) -> str:
    if end is None:
        return "no route, or not known"
    return " ".join(f"{end[name]:>9}" for name in COLUMNS) + f"  {end['planned_at'] or 'never'}"
