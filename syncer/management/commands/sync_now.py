from argparse import ArgumentParser
from typing import Any

from syncer.engine.runs import run_here
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Run
from syncer.reports.preview import adoptions, nothing_to_send, preview, would_wait
from syncer.targets.previews import Adoption


class Command(SyncCommand):
    help = "Sync all that is pending at a target, here and now. Exit status 0: nothing is left undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--preview", action="store_true", help="show what would be sent; send nothing, move nothing"
        )

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target = self.target(options["target"])
        if options["preview"]:
            adopted = adoptions(target)
            planned = [
                {"action": one.action, "object": one.name, "remote_id": one.record, "fields": one.fields}
                for one in preview(target, adopted)
            ]
            message = would_wait(target) if planned else "" if adopted else nothing_to_send(target)
            answer = {
                "target": target.name,
                "there": [_as_json(one) for one in adopted],
                "planned": planned,
                "message": message,
            }
            return answer, bool(planned or any(one.overwritten for one in adopted))
        run = run_here(target)
        failed = [
            {"object": str(row.binding), "action": row.action, "status": row.status, "answer": row.answer}
            for row in run.failures()
        ]
        answer = {"target": target.name, "message": run.message, "counts": run.counts, "failed": failed}
        return answer, run.state != Run.State.DONE

    def text(self, answer: JsonObject) -> str:
        if "planned" in answer:
            there = ["What is there already, by its lists:", *(one["text"] for one in answer["there"])]
            planned = map(_planned, answer["planned"])
            return "\n".join(filter(None, (*(there if len(there) > 1 else []), *planned, answer["message"])))
        lines = [
            f"  {failure['object']}: {failure['action']}: {failure['status'] or ''} {failure['answer']}"
            for failure in answer["failed"]
        ]
        return "\n".join([answer["message"], *lines])


def _as_json(adoption: Adoption) -> JsonObject:
    """Return what the target has already of one model's objects; numbers that are not known are left out."""
    names = ("equal", "overwritten", "differing")
    numbers = {name: len(getattr(adoption, name)) for name in names}
    numbers |= {"created": adoption.created, "waiting": adoption.waiting}
    return {"model": adoption.route.model, "text": str(adoption), **({} if adoption.why else numbers)}


def _planned(delivery: JsonObject) -> str:
    fields = [f"    {name}: {old!r} -> {new!r}" for name, (old, new) in delivery["fields"].items()]
    return "\n".join([f"{delivery['action']} {delivery['object']}", *fields])
