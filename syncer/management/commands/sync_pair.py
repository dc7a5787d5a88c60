from django.conf import settings

from syncer.management.base import JsonObject, SyncCommand
from syncer.targets.peer.pair import ends

COLUMNS = ("objects", "pending", "retrying", "rejected", "conflicts")


class Command(SyncCommand):
    help = "Show the status of both ends of a pair. Exit status 0: nothing is left to send or to decide."

    def answer(self, *, target: str, **_: object) -> tuple[JsonObject, bool]:
        pair = ends.look(self.target(target))
        answer = {
            "target": target,
            "node": settings.NODE,
            "peer": pair.target.peer_node,
            "contact_at": pair.target.contact_at,
            "problem": pair.problem,
            "warnings": pair.warnings,
            "models": [both.model_dump(mode="json") for both in pair.models],
        }
        return answer, not pair.is_quiet

    def text(self, answer: JsonObject) -> str:
        lines = [f"{'model':20} {'node':16} " + " ".join(f"{name:>9}" for name in COLUMNS) + "  history read"]
        for both in answer["models"]:
            for side, node in (("here", answer["node"]), ("there", answer["peer"])):
                lines.append(f"{both['model']:20} {node:16} {_numbers(both[side])}")
                lines += [f"  {node}: {both[side]['problem']}"] if both[side] and both[side]["problem"] else []
        lines += [text for text in (answer["problem"], *answer["warnings"]) if text]
        return "\n".join(lines)


def _numbers(end: JsonObject | None) -> str:
    if end is None:
        return "no route, or not known"
    return " ".join(f"{end[name]:>9}" for name in COLUMNS) + f"  {end['planned_at'] or 'never'}"
